import { chown, cp, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  EmbeddedDatabaseInUseError,
  EmbeddedDatabaseVersionError,
} from '../../src/platform/embedded/embedded-postgres.errors.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/embedded-postgres.js';
import { withClient } from '../support/database.js';
import { EmbeddedStage, end, recall, remember } from './embedded-stage.js';

const root = join(import.meta.dirname, '../..');
const asRoot = process.getuid?.() === 0;
const NOBODY = 65534;

let stage: EmbeddedStage;
beforeEach(async () => {
  stage = await EmbeddedStage.set();
});
afterEach(() => stage.clear());
afterAll(() => EmbeddedStage.clearOriginal());

describe('embedded PostgreSQL', () => {
  it('serves a database on the first start and finds its data again on the second', async () => {
    const first = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    await remember(first.url);
    expect(await readFile(join(stage.dataDir, 'database-url'), 'utf8')).toBe(`${first.url}\n`);
    expect((await stat(join(stage.dataDir, 'database-url'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(stage.dataDir, 'postgres/passwords.json'))).mode & 0o777).toBe(0o600);
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(await readdir(stage.dataDir)).toEqual(['postgres']);
    expect(await readdir(join(stage.dataDir, 'postgres'))).not.toContain('larder.lock');

    const second = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    expect(await recall(second.url)).toBe(42);
    await second.stop();
  });

  it('is durable, listens on this machine only, and gives Larder no superuser', async () => {
    await stage.ranBefore();
    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir, settings: { max_connections: '30' } });
    const { rows } = await withClient(database.url, (client) =>
      client.query(`SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes',
        'listen_addresses', 'max_connections', 'TimeZone', 'server_encoding', 'log_min_duration_statement',
        'log_parameter_max_length', 'log_parameter_max_length_on_error') ORDER BY lower(name)`),
    );
    expect(Object.fromEntries(rows.map((row) => [row.name, row.setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      max_connections: '30',
      TimeZone: 'UTC',
      server_encoding: 'UTF8',
      log_min_duration_statement: '100',
      log_parameter_max_length: '0',
      log_parameter_max_length_on_error: '0',
    });
    const role = await withClient(database.url, (client) =>
      client.query('SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user'),
    );
    expect(role.rows).toEqual([{ rolsuper: false, rolcreatedb: true }]);
    const wrong = new URL(database.url);
    wrong.password = 'guessed';
    await expect(withClient(wrong.href, () => Promise.resolve())).rejects.toThrow('password authentication failed');
    await database.stop();
  });

  it('logs slow and failing statements without the values in them', async () => {
    await stage.ranBefore();
    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    await withClient(database.url, async (client) => {
      await client.query('SELECT pg_sleep(0.15), $1::text AS slow_one', ['secret-of-a-customer']);
      await expect(client.query('SELECT 1 / $1::int AS failing_one', [0])).rejects.toThrow('division by zero');
    });
    await database.stop();
    const log = await readFile(join(stage.dataDir, 'postgres/postgres.log'), 'utf8');
    expect(log).toMatch(/duration: \d{3,}\.\d+ ms .*slow_one/);
    expect(log).toContain('failing_one');
    expect(log).not.toContain('secret-of-a-customer');
  });

  it.each(["with spaces, a ' and a $HOME", 'relative'])('takes a data directory %s', async (kind) => {
    stage.dataDir = join(stage.folder, kind);
    const database = await startEmbeddedPostgres({
      dataDir: kind === 'relative' ? relative(process.cwd(), stage.dataDir) : stage.dataDir,
    });
    await remember(database.url);
    expect(await readdir(stage.dataDir)).toContain('database-url');
    await database.stop();
  });

  it('says which port is taken when it is told one', async () => {
    await stage.ranBefore();
    const other = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    const port = Number(new URL(other.url).port);
    await expect(startEmbeddedPostgres({ dataDir: join(stage.folder, 'b'), port })).rejects.toThrow(`Port ${port} `);
    await other.stop();
    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir, port });
    expect(new URL(database.url).port).toBe(String(port));
    await database.stop();
  });

  it('stops cleanly after the server has died by itself', async () => {
    await stage.ranBefore();
    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    process.kill((await stage.postmasterPid())!, 'SIGKILL');
    await database.stop();
    expect(await readdir(stage.dataDir)).not.toContain('database-url');
  });
});

describe('what it can not start', () => {
  it('data of another major version, with both versions named and nothing touched', async () => {
    await stage.ranBefore();
    const version = join(stage.dataDir, 'postgres/cluster/PG_VERSION');
    const expected = (await readFile(version, 'utf8')).trim();
    await writeFile(version, '12\n');
    const refused = startEmbeddedPostgres({ dataDir: stage.dataDir });
    await expect(refused).rejects.toBeInstanceOf(EmbeddedDatabaseVersionError);
    await expect(refused).rejects.toThrow(`made by PostgreSQL 12, but the embedded one is ${expected}`);
    await writeFile(version, `${expected}\n`);
    await (await startEmbeddedPostgres({ dataDir: stage.dataDir })).stop();
  });

  it('a server that is not installed, as in production', async () => {
    await cp(join(root, 'src/platform/embedded'), join(stage.folder, 'embedded'), { recursive: true });
    await writeFile(join(stage.folder, 'package.json'), '{"type":"module"}');
    await mkdir(join(stage.folder, 'node_modules'));
    await symlink(join(root, 'node_modules/pg'), join(stage.folder, 'node_modules/pg'));
    const module = pathToFileURL(join(stage.folder, 'embedded/embedded-postgres.ts')).href;
    const { report } = await stage.larder({ env: { EMBEDDED_MODULE: module } });
    expect(report.error).toBe('EmbeddedDatabaseMissingError');
    expect(report.message).toContain('Set DATABASE_URL');
  });

  it('settings that PostgreSQL refuses, with what its log says', async () => {
    await stage.ranBefore();
    await expect(
      startEmbeddedPostgres({ dataDir: stage.dataDir, settings: { max_connections: "a'b\\" } }),
    ).rejects.toThrow(/invalid value for parameter "max_connections": "a'b\\"/);
    await (await startEmbeddedPostgres({ dataDir: stage.dataDir })).stop();
  });
});

(asRoot ? describe : describe.skip)('who runs it', () => {
  it('an ordinary user, as itself', async () => {
    await mkdir(stage.dataDir);
    await chown(stage.dataDir, NOBODY, NOBODY);
    const { report, process: child } = await stage.larder({ uid: NOBODY });
    expect(report.error).toBeUndefined();
    await remember(report.url);
    expect((await stat(join(stage.dataDir, 'postgres/cluster'))).uid).toBe(NOBODY);
    await end(child, 'SIGTERM');

    // And root after it, on the same data.
    const database = await startEmbeddedPostgres({ dataDir: stage.dataDir });
    expect(await recall(database.url)).toBe(42);
    await database.stop();
  });

  it('an ordinary user on data of another user, which is refused', async () => {
    await stage.ranBefore();
    const { report } = await stage.larder({ uid: NOBODY });
    expect(report.error).toBe('EmbeddedDatabaseError');
    expect(report.message).toContain('belongs to another user');
  });

  it('root, with the data where the user postgres can go when it can not enter the data directory', async () => {
    await mkdir(stage.dataDir, { mode: 0o700 });
    const first = await stage.larder();
    const home = (await readFile(join(stage.dataDir, 'postgres-home'), 'utf8')).trim();
    try {
      expect(home).toMatch(/^\/var\/lib\/larder\/[0-9a-f]{12}/);
      expect(first.report.logged.join()).toContain(`its data are in ${home}`);
      await remember(first.report.url);
      await expect(startEmbeddedPostgres({ dataDir: stage.dataDir })).rejects.toBeInstanceOf(
        EmbeddedDatabaseInUseError,
      );
      await end(first.process, 'SIGTERM');
      const second = await startEmbeddedPostgres({ dataDir: stage.dataDir });
      expect(await recall(second.url)).toBe(42);
      await second.stop();
    } finally {
      await end(first.process, 'SIGTERM');
      await rm(home, { recursive: true });
    }
  });
});
