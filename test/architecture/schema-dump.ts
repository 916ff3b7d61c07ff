import type pg from 'pg';

/** Each query yields one line of text per thing; together they are all that migrations make in the schema public. */
const PARTS = [
  `SELECT format('table %s %s: %s', c.relname, c.relkind, (
            SELECT string_agg(privilege_type || ' to ' || grantee, ', ' ORDER BY grantee, privilege_type)
              FROM (
                SELECT DISTINCT a.privilege_type, a.grantee::regrole::text AS grantee
                  FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
              ) granted
          ))
     FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')`,
  `SELECT format('column %s.%s %s %s default %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                 pg_get_expr(d.adbin, d.adrelid))
     FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`,
  `SELECT format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
     FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 't'`,
  `SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'`,
  `SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'`,
  `SELECT format('aggregate %s: %s of %s from %s, %s', p.oid::regprocedure, a.aggtransfn, a.aggtranstype::regtype, a.agginitval,
                 a.aggcombinefn)
     FROM pg_aggregate a
     JOIN pg_proc p ON p.oid = a.aggfnoid AND p.pronamespace = 'public'::regnamespace`,
  `SELECT 'trigger ' || pg_get_triggerdef(t.oid)
     FROM pg_trigger t
     JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal`,
  `SELECT format('sequence %s %s %s', sequencename, data_type, increment_by) FROM pg_sequences WHERE schemaname = 'public'`,
  `SELECT format('type %s %s', typname, typtype)
     FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')`,
  `SELECT 'extension ' || extname FROM pg_extension`,
];

/** What the schema is, one line per thing, sorted; the table that keeps account of migrations left out. */
export async function schemaDump(client: pg.Client): Promise<string[]> {
  const lines: string[] = [];
  for (const part of PARTS) {
    const { rows } = await client.query<[string]>({ text: part, rowMode: 'array' });
    lines.push(...rows.map(([line]) => line));
  }
  return lines.filter((line) => !/\b_prisma_migrations/.test(line)).sort();
}
