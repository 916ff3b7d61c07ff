#!/usr/bin/env node
/** `node prisma/cli.mjs <arguments>`: the Prisma CLI on the project's Node, on a closed network too. See README.md. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants as os, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const modules = join(import.meta.dirname, '..', 'node_modules');
const APPLYING = new Set(['deploy', 'dev', 'reset']);
const DATABASE_COMMANDS = new Set(['migrate', 'db', 'studio']);

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where the network allows, installing @prisma/engines puts the native schema engine beside its package.json. */
function hasNativeEngine() {
  const folder = join(modules, '@prisma', 'engines');
  return readdirSync(folder).some((name) => name.startsWith('schema-engine-') && isExecutable(join(folder, name)));
}

function needsDatabase([command, subcommand, ...options]) {
  const given = [subcommand ?? '', ...options];
  if (!DATABASE_COMMANDS.has(command) || given.some((option) => /^(-h|--help|--url(=.*)?)$/.test(option))) return false;
  // A diff between schema files, such as the SQL for a first migration, is made without one.
  return subcommand !== 'diff' || options.some((option) => /^--(from|to)-(migrations|config-datasource)/.test(option));
}

/** The embedded database writes its URL here while it runs. */
function embeddedDatabaseUrl(env) {
  const file = join(env.DATA_DIR || '.data', 'database-url');
  if (!existsSync(file)) {
    throw new Error(
      `Which database? DATABASE_URL is not set, and there is no ${file}, so no embedded database runs here.\n` +
        'Set DATABASE_URL=postgresql://user:password@host:port/name, or start the embedded database with `npm start`.',
    );
  }
  console.error(`DATABASE_URL is not set: using the embedded database (${file}).`);
  return readFileSync(file, 'utf8').trim();
}

function environment(args) {
  if (!existsSync(join(modules, 'prisma'))) throw new Error('Prisma is not installed: run `npm ci` first.');
  const env = { ...process.env };
  // The CLI and the shebang of schema-engine.mjs find the project's Node 24 here, whatever is installed outside.
  env.PATH = [join(modules, '.bin'), env.PATH].filter(Boolean).join(delimiter);
  // No telemetry and no look for updates: both would wait for a network that may not be there.
  env.CHECKPOINT_DISABLE = '1';
  env.PRISMA_HIDE_UPDATE_MESSAGE = '1';
  if (!env.PRISMA_SCHEMA_ENGINE_BINARY && !hasNativeEngine()) {
    env.PRISMA_SCHEMA_ENGINE_BINARY = join(import.meta.dirname, 'schema-engine.mjs');
  }
  if (!env.DATABASE_URL && needsDatabase(args)) env.DATABASE_URL = embeddedDatabaseUrl(env);
  return env;
}

function run(args) {
  const env = environment(args);
  const scratch = mkdtempSync(join(tmpdir(), 'prisma-cli-'));
  env.SCHEMA_ENGINE_BUSY_FILE = join(scratch, 'busy');
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

  const child = spawn('node', [join(modules, 'prisma', 'build', 'index.js'), ...args], { env, stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, being in the terminal's process group; outlive it to report how it ended.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', fail);
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + os.signals[signal];
    // Prisma 7.10 ends with 0 and no word when its engine dies over a request: a deployment would go on.
    if (code === 0 && existsSync(env.SCHEMA_ENGINE_BUSY_FILE)) {
      fail(
        new Error('The schema engine died half-way. See `migrate status` for what it did; DEBUG="prisma:*" says more.'),
      );
    } else if (code === 0 && args[0] === 'migrate' && APPLYING.has(args[1])) {
      const jobs = spawn('node', [join(import.meta.dirname, 'jobs-schema.mjs')], { env, stdio: 'inherit' });
      jobs.on('error', fail);
      jobs.on('exit', (status) => (process.exitCode = status ?? 1));
    }
  });
}

function fail(error) {
  console.error(error.message);
  process.exitCode = 1;
}

try {
  run(process.argv.slice(2));
} catch (error) {
  fail(error);
}
