import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { newId } from '../../src/common/ids.js';
import { Background, until } from '../support/background.js';
import { sumOfMetric } from '../support/metrics.js';

let background: Background;
let user: string;

beforeAll(async () => {
  background = await Background.open(() => undefined, { IDEMPOTENCY_KEEP_H: '24' });
  user = (await background.make.user(background.store)).id;
});
afterAll(() => background.close());

/** Runs a schedule now, and waits until it has run. */
async function run(schedule: string): Promise<void> {
  const runs = () => sumOfMetric(background.larder, 'larder_job_runs_total', `job="${schedule}",outcome="completed"`);
  await until(async () => (await background.count('job_schedules WHERE name = $1', [schedule])) === 1);
  const before = await runs();
  await background.larder.sql.query('UPDATE job_schedules SET due_at = now() WHERE name = $1', [schedule]);
  await until(async () => (await runs()) > before);
}

describe('Answers kept for their Idempotency-Key', () => {
  it('are kept for a day and deleted then, however many', async () => {
    await background.larder.sql.query(
      `INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response, created_at)
       SELECT $1, 'somebody', 'POST /', n, '', 201, '{}', now() - interval '24 hours' + n * interval '1 second'
         FROM generate_series(-2499, 600) n`,
      [background.store.id],
    );
    await run('idempotency.clean');
    // Those of the last minutes may have come of age since.
    expect(await background.count('idempotency_keys')).toBeGreaterThan(500);
    expect(await background.count('idempotency_keys')).toBeLessThanOrEqual(600);
  });
});

describe('Refresh tokens', () => {
  const give = async (family: string, expires: string, revoked = false): Promise<string> => {
    const id = newId();
    await background.larder.sql.query(
      `INSERT INTO refresh_tokens (store_id, id, user_id, family_id, token_hash, expires_at, revoked_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6::interval, CASE WHEN $7 THEN now() END)`,
      [background.store.id, id, user, family, createHash('sha256').update(id).digest(), expires, revoked],
    );
    return id;
  };

  it('are deleted when their time is over, but for a revoked one whose family still lives', async () => {
    const [over, living, revoked] = [newId(), newId(), newId()];
    await give(over, '-1 second');
    await give(over, '-1 hour', true);
    await give(living, '-1 hour');
    const kept = [
      await give(living, '1 hour'),
      await give(revoked, '-1 hour', true),
      // Issued at the moment of the revocation, which did not see it: it is the one above that ends it.
      await give(revoked, '1 hour'),
    ];
    await run('auth.clean');
    const { rows } = await background.larder.sql.query<{ id: string }>('SELECT id FROM refresh_tokens ORDER BY id');
    expect(rows.map(({ id }) => id)).toEqual(kept.sort());
  });
});
