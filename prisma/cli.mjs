#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { dirname, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, '..', 'node_modules');

/** npm's installation fetches the native schema engine into this folder where the network allows. */
function hasNativeEngine() {
  const folder = join(modules, '@prisma', 'engines');
  return readdirSync(folder).some((name) => {
    if (!name.startsWith('schema-engine-')) return false;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const env = { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
env.PATH = [join(modules, '.bin'), env.PATH].filter(Boolean).join(delimiter);
if (!env.PRISMA_SCHEMA_ENGINE_BINARY && !hasNativeEngine()) {
  env.PRISMA_SCHEMA_ENGINE_BINARY = join(here, 'schema-engine.mjs');
}

const prisma = join(modules, 'prisma', 'build', 'index.js');
const child = spawn('node', [prisma, ...process.argv.slice(2)], { env, stdio: 'inherit' });
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
