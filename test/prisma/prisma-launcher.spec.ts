import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { finish, type Finished, ROOT, start } from './prisma-project.js';

/** Stands where Prisma's CLI is installed and tells what it was given. */
const FAKE_CLI = `
const { PRISMA_SCHEMA_ENGINE_BINARY, DATABASE_URL, CHECKPOINT_DISABLE, SCHEMA_ENGINE_BUSY_FILE } = process.env;
if (process.argv.includes('--engine-dies')) require('fs').writeFileSync(SCHEMA_ENGINE_BUSY_FILE, '');
if (process.argv.includes('--exit-3')) process.exitCode = 3;
if (process.argv.includes('--killed')) process.kill(process.pid, 'SIGKILL');
const { version, argv } = process;
console.log(JSON.stringify({ version, argv: argv.slice(2), PRISMA_SCHEMA_ENGINE_BINARY, DATABASE_URL, CHECKPOINT_DISABLE }));
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-prisma-'));
  for (const path of ['prisma', 'node_modules/prisma/build', 'node_modules/@prisma/engines', 'node_modules/.bin']) {
    await mkdir(join(folder, path), { recursive: true });
  }
  await cp(join(ROOT, 'prisma/cli.mjs'), join(folder, 'prisma/cli.mjs'));
  await symlink(join(ROOT, 'node_modules/node/bin/node'), join(folder, 'node_modules/.bin/node'));
  await writeFile(join(folder, 'node_modules/prisma/build/index.js'), FAKE_CLI);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const launch = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> =>
  finish(start(join(folder, 'prisma/cli.mjs'), folder, env, args));

async function given(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await launch(env, ...args);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('which engine', () => {
  const nativeEngine = (mode: number) =>
    writeFile(join(folder, 'node_modules/@prisma/engines/schema-engine-debian-openssl-3.0.x'), '', { mode });

  it("is the project's own where nothing was downloaded", async () => {
    expect(await given({}, 'generate')).toMatchObject({
      PRISMA_SCHEMA_ENGINE_BINARY: join(folder, 'prisma/schema-engine.mjs'),
    });
  });

  it('is the native one where there is one, untouched', async () => {
    await nativeEngine(0o755);

    expect(await given({}, 'generate')).not.toHaveProperty('PRISMA_SCHEMA_ENGINE_BINARY');
  });

  it("is the project's own beside a download that broke off", async () => {
    await nativeEngine(0o644);

    expect(await given({}, 'generate')).toHaveProperty('PRISMA_SCHEMA_ENGINE_BINARY');
  });

  it('is what the user says', async () => {
    expect(await given({ PRISMA_SCHEMA_ENGINE_BINARY: '/opt/engine' }, 'generate')).toMatchObject({
      PRISMA_SCHEMA_ENGINE_BINARY: '/opt/engine',
    });
  });
});

describe('which database', () => {
  const FILE_URL = 'postgresql://larder:secret@localhost:54321/larder';

  it('is that of DATABASE_URL, before the embedded one', async () => {
    await mkdir(join(folder, '.data'));
    await writeFile(join(folder, '.data/database-url'), `${FILE_URL}\n`);

    expect(await given({ DATABASE_URL: 'postgresql://a' }, 'migrate', 'deploy')).toMatchObject({
      DATABASE_URL: 'postgresql://a',
    });
  });

  it.each([
    ['.data', {}],
    ['elsewhere', { DATA_DIR: 'elsewhere' }],
  ])('is the embedded one that runs in %s', async (data, env) => {
    await mkdir(join(folder, data));
    await writeFile(join(folder, data, 'database-url'), `${FILE_URL}\n`);

    expect(await given(env, 'migrate', 'deploy')).toMatchObject({ DATABASE_URL: FILE_URL });
    expect((await launch(env, 'migrate', 'deploy')).stderr).toContain(join(data, 'database-url'));
  });

  it.each([
    ['migrate', 'deploy'],
    ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema'],
    ['db', 'execute', '--stdin'],
  ])('is asked for where there is none: %s %s', async (...args) => {
    expect(await launch({}, ...args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Which database\?[^]*Set DATABASE_URL=[^]*npm start/),
    });
  });

  it.each([['generate'], ['validate'], ['migrate', '--help'], ['migrate', 'diff', '--from-empty', '--to-schema', 'x']])(
    'does not matter to %s %s',
    async (...args) => {
      expect(await given({}, ...args)).toMatchObject({ argv: args });
    },
  );
});

describe('the CLI', () => {
  it("runs on the project's Node without telemetry or a look for updates", async () => {
    expect(await given({}, 'generate')).toMatchObject({
      version: expect.stringMatching(/^v24\./),
      CHECKPOINT_DISABLE: '1',
    });
  });

  it('passes its exit code on', async () => {
    expect(await launch({}, 'generate', '--exit-3')).toMatchObject({ code: 3, stderr: '' });
  });

  it('fails when it is killed', async () => {
    expect(await launch({}, 'generate', '--killed')).toMatchObject({ code: 137 });
  });

  it('fails when its engine died over a request, whatever it says itself', async () => {
    expect(await launch({}, 'generate', '--engine-dies')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('schema engine died half-way'),
    });
  });

  it('asks for an installation where there is none', async () => {
    await rm(join(folder, 'node_modules/prisma'), { recursive: true });

    expect(await launch({}, 'generate')).toMatchObject({ code: 1, stderr: expect.stringContaining('npm ci') });
  });
});
