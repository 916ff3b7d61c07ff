import type pg from 'pg';
import { checkClaim } from '../../src/verify/check-claim.js';
import { CLAIMS } from '../../src/verify/claims.js';

/**
 * Proves that a database is sound, as `npm run verify` does: stock, money, orders and deliveries agree with each other to the
 * last piece and cent. All at one moment; of a client in a transaction, what that sees.
 * @throws Error that names what is broken, with the first rows
 */
export async function verify(sql: pg.Pool | pg.PoolClient): Promise<void> {
  if (!isPool(sql)) return verifyWithin(sql);
  const client = await sql.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await verifyWithin(client);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

function isPool(sql: pg.Pool | pg.PoolClient): sql is pg.Pool {
  return 'totalCount' in sql;
}

async function verifyWithin(client: pg.PoolClient): Promise<void> {
  const problems: string[] = [];
  for (const claim of CLAIMS.flatMap(({ claims }) => claims)) {
    const { broken, rows } = await checkClaim(client, claim, 3);
    if (broken > 0) problems.push(`${claim.name}: ${broken} break it: ${JSON.stringify(rows)}`);
  }
  if (problems.length > 0) throw new Error(`The database is not sound.\n${problems.join('\n')}`);
}
