import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Build, buildLarder } from '../support/built-larder.js';
import { createTestDatabase, databaseUrl, type TestDatabase } from '../support/database.js';

interface Report {
  verdict: string;
  findings: { claim: string; broken: number | null; rows: Record<string, unknown>[] }[];
}

let build: Build;
let database: TestDatabase;

beforeAll(async () => {
  build = await buildLarder();
  database = await createTestDatabase();
});
afterAll(async () => {
  await build?.clear();
  await database?.drop();
});

/** `npm run verify`, its exit code and what it wrote. */
async function run(args: string, settings: Record<string, string> = {}) {
  const process_ = build.start(settings, `${process.execPath} dist/cli/verify.js ${args}`);
  const code = await process_.exited;
  return { code, stdout: process_.stdout, stderr: process_.stderr };
}

describe('npm run verify', () => {
  it('ends with 0 for a sound database, told on standard error as it goes', async () => {
    const { code, stdout, stderr } = await run(`--url ${database.url}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/claims hold, in .* s: sound\.\n$/) });
    expect(stderr).toMatch(/ledger: every ledger transaction balances, .*: holds/);
  });

  it('takes the database of DATABASE_URL, or the embedded one that runs here', async () => {
    expect((await run('--only platform', { DATABASE_URL: database.url })).code).toBe(0);
    await mkdir(join(build.folder, '.data'), { recursive: true });
    await writeFile(join(build.folder, '.data/database-url'), `${database.url}\n`);
    expect((await run('--only platform')).code).toBe(0);
    expect((await run('--only platform', { DATA_DIR: 'elsewhere' })).stderr).toContain('Which database?');
  });

  it('ends with 1 for a broken one, with the ids of what is wrong', async () => {
    const admin = new pg.Client({ connectionString: superuserUrl(database.url) });
    await admin.connect();
    await admin.query('SET session_replication_role = replica');
    const { rows } = await admin.query<{ id: string }>(
      `INSERT INTO ledger_transactions (store_id, id, type, reference)
       VALUES (uuid_v7(), uuid_v7(), 'TOP_UP', 'nothing') RETURNING id`,
    );
    try {
      const text = await run(`--url ${database.url}`);
      expect(text.code).toBe(1);
      expect(text.stdout).toContain('BROKEN: ledger: every ledger transaction balances');
      expect(text.stdout).toContain(rows[0]!.id);

      const json = await run(`--url ${database.url} --json`);
      const report = JSON.parse(json.stdout) as Report;
      expect({ code: json.code, verdict: report.verdict }).toEqual({ code: 1, verdict: 'broken' });
      expect(report.findings.filter(({ broken }) => broken !== 0)).toEqual([
        expect.objectContaining({ claim: expect.stringMatching(/^every ledger transaction balances/), broken: 1 }),
      ]);
    } finally {
      await admin.query('DELETE FROM ledger_transactions');
      await admin.end();
    }
  });

  it.each([
    ['a database that is not there', '--url postgresql://nobody@127.0.0.1:1/none', /Could not check/],
    ['a group that is not there', '--only nonsense --url x', /there is no group nonsense/],
    ['a number that is none', '--connections many --url x', /--connections: a whole number/],
    ['an option that is not there', '--force', /Unknown option/],
  ])('ends with 2 when it could not check: %s', async (_name, args, told) => {
    const { code, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(told) });
  });

  it('ends with 2 for a database that is not Larder’s, every claim told as not checked', async () => {
    const { code, stdout } = await run(`--url ${databaseUrl(superuserUrl(database.url), 'postgres')} --only ledger`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('NOT CHECKED: ledger') });
  });
});

/** Who may switch triggers off: the owner may not. */
function superuserUrl(url: string): string {
  return databaseUrl(process.env.TEST_DATABASE_URL ?? '', new URL(url).pathname.slice(1));
}
