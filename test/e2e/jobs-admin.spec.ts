import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newId } from '../../src/common/ids.js';
import { Background, until } from '../support/background.js';
import { type Build, buildLarder } from '../support/built-larder.js';
import type { TestStore, TestUser } from '../support/factories.js';

let background: Background;
let build: Build;
let admin: TestUser;
let other: TestStore;
let otherAdmin: TestUser;
let broken = true;
const done: object[] = [];

beforeAll(async () => {
  [build, background] = await Promise.all([
    buildLarder(),
    Background.open(
      (jobs) => {
        jobs.handle('test.charge', (data) => {
          if (broken) return Promise.reject(new Error('broken'));
          done.push(data);
          return Promise.resolve();
        });
      },
      { JOBS_WORKER_LOST_MS: '2000' },
    ),
  ]);
  admin = await background.make.user(background.store, 'ADMIN');
  other = await background.make.store('other');
  otherAdmin = await background.make.user(other, 'ADMIN');
});
afterEach(async () => {
  broken = true;
  done.length = 0;
  await background.larder.sql.query('DELETE FROM dead_jobs');
});
afterAll(async () => {
  await background?.close();
  await build?.clear();
});

async function kill(count: number, store = background.store): Promise<void> {
  const before = await background.count('dead_jobs');
  for (let n = 0; n < count; n++) {
    await background.enqueue(
      'test.charge',
      { n, email: 'ada@example.com', card: { token: 'tok_1' } },
      { maxAttempts: 1 },
      store,
    );
  }
  await until(async () => (await background.count('dead_jobs')) === before + count);
}

const list = (user: TestUser, query = '') =>
  background.larder.http.get(`/api/admin/jobs/dead${query}`).set('authorization', user.bearer);
const replay = (user: TestUser, id: string) =>
  background.larder.http.post(`/api/admin/jobs/dead/${id}/replay`).set('authorization', user.bearer);

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, DATABASE_URL: background.larder.config.DATABASE_URL };
  const file = join(build.folder, 'dist/cli/jobs.js');
  return promisify(execFile)(process.execPath, [file, ...args], { cwd: build.folder, env }).then(
    (output) => ({ code: 0, ...output }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe('Dead jobs', () => {
  it('are listed for the administrator of their store, newest first, page by page, without personal data', async () => {
    await kill(3);
    await kill(1, other);
    const first = await list(admin, '?limit=2').expect(200);
    const second = await list(admin, `?limit=2&cursor=${first.body.nextCursor}`).expect(200);
    const items = [...first.body.items, ...second.body.items];
    expect(second.body.nextCursor).toBeNull();
    expect(items.map(({ data }) => data.n).sort()).toEqual([0, 1, 2]);
    expect([...items].sort((a, b) => (a.id < b.id ? 1 : -1))).toEqual(items);
    expect(items[0]).toEqual({
      id: expect.any(String),
      name: 'test.charge',
      data: { n: expect.any(Number), email: '[redacted]', card: { token: '[redacted]' } },
      attempts: 1,
      error: 'Error',
      createdAt: expect.any(String),
      diedAt: expect.any(String),
    });
    expect((await list(otherAdmin).expect(200)).body.items).toHaveLength(1);
    await list(admin, '?cursor=nonsense').expect(400);
    await list(await background.make.user(background.store, 'MANAGER')).expect(403);
  });

  it('are done after all when they are replayed, once, and by nobody of another store', async () => {
    await kill(2);
    const { id } = (await list(admin)).body.items[0];
    broken = false;
    await replay(otherAdmin, id).expect(404);
    await replay(admin, newId()).expect(404);
    await replay(admin, 'not-an-id').expect(404);
    const replies = await Promise.all(Array.from({ length: 5 }, () => replay(admin, id)));
    expect(replies.map(({ status }) => status).sort()).toEqual([202, 404, 404, 404, 404]);
    await until(() => done.length === 1);
    expect((await list(admin)).body.items).toHaveLength(1);
    expect(await background.count('graphile_worker.jobs')).toBe(0);
  });

  it('can be dead again, and then have had as many attempts as at first', async () => {
    await kill(1);
    const { id } = (await list(admin)).body.items[0];
    await replay(admin, id).expect(202);
    await until(async () => (await background.count('dead_jobs')) === 1);
    const [again] = (await list(admin)).body.items;
    expect(again).toMatchObject({ name: 'test.charge', attempts: 1 });
    expect(again.id).not.toBe(id);
  });
});

describe('npm run jobs', () => {
  it('lists and replays dead jobs of all stores, of one, or by id', async () => {
    expect(await run('dead')).toMatchObject({ code: 0, stdout: 'No job is dead.\n' });
    await kill(3);
    await kill(2, other);
    const listed = await run('dead');
    expect(listed.stdout.trim().split('\n')).toHaveLength(5);
    expect(listed.stdout).not.toContain('ada@example.com');
    const ofOther = await run('dead', '--store', 'other');
    expect(ofOther.stdout.match(/ other {2}test\.charge {2}1 attempts {2}Error\n/g)).toHaveLength(2);

    broken = false;
    const ids = ofOther.stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
    expect(await run('replay', ids[0] ?? '')).toMatchObject({ code: 0, stdout: '1 of 1 replayed.\n' });
    expect(await run('replay', ids[0] ?? '', ids[1] ?? '')).toMatchObject({ code: 1, stdout: '1 of 2 replayed.\n' });
    expect(await run('replay', '--all')).toMatchObject({ code: 0, stdout: '3 of 3 replayed.\n' });
    await until(() => done.length === 5);
  });

  it('tells whether anybody works', async () => {
    expect(await run('check')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^A worker has done it, \d+ ms after/),
    });
  });

  it.each([[[]], [['bury']], [['replay']], [['replay', 'nonsense']], [['replay', '--all', newId()]]])(
    'explains itself to %j',
    async (args) => {
      const { code, stdout, stderr } = await run(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/npm run jobs|say which ids|no id of a dead job/);
    },
  );
});
