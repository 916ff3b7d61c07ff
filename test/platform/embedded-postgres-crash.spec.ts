import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedDatabaseInUseError } from '../../src/platform/embedded/embedded-postgres.errors.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { withClient } from '../support/database.js';
import { EmbeddedStage, end, gone, isRunning, recall, remember } from './embedded-stage.js';

const asRoot = process.getuid?.() === 0;

let stage: EmbeddedStage;
beforeEach(async () => {
  stage = await EmbeddedStage.set();
});
afterEach(() => stage.clear());
afterAll(() => EmbeddedStage.clearOriginal());

describe('after a crash', () => {
  it('of Larder, stops the server that ran on, and keeps what was committed', async () => {
    await stage.ranBefore();
    const first = await stage.larder();
    await remember(first.report.url);
    const orphan = (await stage.postmasterPid())!;
    await end(first.process, 'SIGKILL');
    expect(await isRunning(orphan)).toBe(true);

    const second = await stage.larder();
    expect(second.report.error).toBeUndefined();
    expect(second.report.logged.join()).toContain('earlier run');
    expect(await isRunning(orphan)).toBe(false);
    expect(await recall(second.report.url)).toBe(42);
    await end(second.process, 'SIGTERM');
  });

  it('of Larder in the middle of starting, any number of times', async () => {
    for (const delayMs of [150, 300, 450, 700, 1_000]) {
      const child = stage.launch();
      await sleep(delayMs);
      await end(child, 'SIGKILL');
    }
    const { report, process: child } = await stage.larder();
    expect(report.error).toBeUndefined();
    await remember(report.url);
    await end(child, 'SIGTERM');
    expect((await readdir(join(stage.dataDir, 'postgres'))).filter((name) => name.startsWith('init-'))).toEqual([]);
  });

  it('of initdb, begins anew', async () => {
    const child = stage.launch();
    const home = join(stage.dataDir, 'postgres');
    const begun = async (): Promise<boolean> => {
      const names = await readdir(home).catch((): string[] => []);
      const init = names.find((name) => name.startsWith('init-'));
      return (
        init !== undefined && (await readdir(join(home, init, 'cluster')).catch((): string[] => [])).includes('base')
      );
    };
    while (!(await begun())) await sleep(5);
    await end(child, 'SIGKILL');
    expect(await readdir(home)).not.toContain('cluster');

    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    await remember(database.url);
    expect((await readdir(home)).filter((name) => name.startsWith('init-'))).toEqual([]);
    await database.stop();
  });

  it('of the server and Larder both, with a statement that a backend still works on', async () => {
    await stage.ranBefore();
    const first = await stage.larder();
    await remember(first.report.url);
    const busy = withClient(first.report.url, (client) => {
      client.on('error', () => undefined);
      return client.query("SELECT count(*) FROM generate_series(1, 12000000) AS n WHERE md5(n::text) = 'x'");
    }).catch(() => undefined);
    await withClient(first.report.url, async (client) => {
      const working = `SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%md5%' AND pid <> pg_backend_pid()`;
      while ((await client.query(working)).rowCount === 0) await sleep(5);
    });
    process.kill((await stage.postmasterPid())!, 'SIGKILL');
    await end(first.process, 'SIGKILL');

    const second = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    expect(await recall(second.url)).toBe(42);
    await second.stop();
    await busy;
    // The new server waited for the old one's last backend: two of them on the same files would be the end of both.
    expect(await readFile(join(stage.dataDir, 'postgres/postgres.log'), 'utf8')).toContain('is still in use');
  });

  it('leaves alone a process that has got the id of the dead server', async () => {
    await stage.ranBefore();
    const first = await stage.larder();
    const server = (await stage.postmasterPid())!;
    process.kill(server, 'SIGKILL');
    await gone(server);
    await end(first.process, 'SIGKILL');
    const owner = await stat(join(stage.dataDir, 'postgres/cluster'));
    const bystander = spawn('sleep', ['60'], asRoot ? { uid: owner.uid, gid: owner.gid } : {});
    stage.killLater(bystander);
    const pidFile = join(stage.dataDir, 'postgres/cluster/postmaster.pid');
    await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(bystander.pid)));

    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    expect(await isRunning(bystander.pid!)).toBe(true);
    await database.stop();
  });
});

describe('one data directory, two Larders', () => {
  it('refuses the second with the process id of the first, which is not disturbed', async () => {
    await stage.ranBefore();
    const first = await stage.larder();
    await remember(first.report.url);
    const refused = startEmbeddedPostgres({ dataDir: stage.dataDir });
    await expect(refused).rejects.toBeInstanceOf(EmbeddedDatabaseInUseError);
    await expect(refused).rejects.toMatchObject({ dataDir: stage.dataDir, ownerPid: first.process.pid });
    await expect(refused).rejects.toThrow(
      `${stage.dataDir} is in use by another Larder, process ${first.process.pid}. Stop that one first`,
    );
    expect(await recall(first.report.url)).toBe(42);
    expect(await readFile(join(stage.dataDir, 'database-url'), 'utf8')).toBe(`${first.report.url}\n`);
    await end(first.process, 'SIGTERM');
  });

  it.each(['nothing', 'a killed owner', 'a lock of an earlier process with an id that lives'])(
    'lets one of six simultaneous starts win over %s',
    async (before) => {
      if (before === 'a killed owner') {
        await stage.ranBefore();
        await end((await stage.larder()).process, 'SIGKILL');
      }
      if (before.startsWith('a lock')) {
        await mkdir(join(stage.dataDir, 'postgres'), { recursive: true });
        const stale = { pid: process.pid, start: 'another boot 1', token: 'stale' };
        await writeFile(join(stage.dataDir, 'postgres/larder.lock'), JSON.stringify(stale));
      }
      const all = await Promise.all(Array.from({ length: 6 }, () => stage.larder()));
      const winners = all.filter(({ report }) => report.url);
      expect(winners).toHaveLength(1);
      const losers = all.filter(({ report }) => report.error === 'EmbeddedDatabaseInUseError');
      expect(losers).toHaveLength(5);
      for (const { report } of losers) expect(report.message).toContain(`process ${winners[0]!.process.pid}.`);
      await remember(winners[0]!.report.url);
      await end(winners[0]!.process, 'SIGTERM');
    },
  );

  it('gives Ctrl-C to Larder alone, which drains with its database and then stops it', async () => {
    await stage.ranBefore();
    const first = await stage.larder();
    const server = (await stage.postmasterPid())!;
    const exited = once(first.process, 'exit');
    process.kill(-first.process.pid!, 'SIGINT');
    await sleep(200);
    await remember(first.report.url);
    first.process.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await isRunning(server)).toBe(false);
    const second = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    expect(await recall(second.url)).toBe(42);
    await second.stop();
    const log = await readFile(join(stage.dataDir, 'postgres/postgres.log'), 'utf8');
    expect(log).not.toContain('was interrupted');
  });
});
