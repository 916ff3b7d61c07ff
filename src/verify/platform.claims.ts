import type { ClaimGroup } from './claim.js';

/** What everything else rests on. */
export const PLATFORM: ClaimGroup = {
  name: 'platform',
  claims: [
    {
      name: 'every constraint and trigger is in force',
      sql: `
        SELECT NULL AS store_id, c.conrelid::regclass::text || '.' || c.conname AS name
          FROM pg_constraint c
         WHERE c.connamespace = current_schema()::regnamespace AND NOT c.convalidated
         UNION ALL
        SELECT NULL, t.tgrelid::regclass::text || '.' || t.tgname
          FROM pg_trigger t
          JOIN pg_class r ON r.oid = t.tgrelid AND r.relnamespace = current_schema()::regnamespace
         WHERE t.tgenabled = 'D'
         UNION ALL
        SELECT NULL, i.indexrelid::regclass::text
          FROM pg_index i
          JOIN pg_class r ON r.oid = i.indrelid AND r.relnamespace = current_schema()::regnamespace
         WHERE NOT i.indisvalid OR NOT i.indisready`,
    },
  ],
};
