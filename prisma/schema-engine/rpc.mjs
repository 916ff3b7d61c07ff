import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { SchemaEngineAdapterFactory } from './adapter.mjs';
import { setBusy, setIdle } from './busy.mjs';
import { lastPanic, loadSchemaEngine } from './wasm.mjs';

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const UNKNOWN_METHOD = -32601;
const ENGINE_FAILURE = 4466;

/** The CLI's name of a method → the WebAssembly engine's. */
const METHODS = new Map([
  ...[
    'applyMigrations',
    'createMigration',
    'dbExecute',
    'devDiagnostic',
    'diagnoseMigrationHistory',
    'diff',
    'ensureConnectionValidity',
    'evaluateDataLoss',
    'introspect',
    'introspectSql',
    'markMigrationApplied',
    'markMigrationRolledBack',
    'reset',
    'schemaPush',
  ].map((name) => [name, name]),
  ['getDatabaseVersion', 'version'],
]);

const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');

/** Answers the CLI's requests, one a line, until it closes stdin. */
export async function serve(datasource, datamodelPaths) {
  const factory = new SchemaEngineAdapterFactory(datasource);
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => void factory.dropShadowDatabases().finally(() => process.exit(128 + number)));
  }
  const handle = createHandler(bindMigrationAwareSqlAdapterFactory(factory), datamodelPaths);
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    if (!method) continue; // the CLI's answer to a `print`
    setBusy();
    const answer = await handle(method, params);
    setIdle();
    send({ id, ...answer });
  }
  await factory.dropShadowDatabases();
  process.exit(0); // idle connections would keep the process
}

function createHandler(boundFactory, datamodelPaths) {
  let engine;
  return async (method, params) => {
    if (!METHODS.has(method)) return { error: { code: UNKNOWN_METHOD, message: `Method not found: ${method}` } };
    try {
      engine ??= await startEngine(boundFactory, datamodelPaths);
      const result = await engine[METHODS.get(method)](params);
      // The native engine has the CLI print a diff, so the CLI doesn't look for it in the answer.
      if (method === 'diff' && result.stdout) send({ id: 0, method: 'print', params: { content: result.stdout } });
      return { result: result ?? {} };
    } catch (error) {
      return { error: { code: ENGINE_FAILURE, message: 'schema engine error', data: describe(error, boundFactory) } };
    }
  };
}

async function startEngine(boundFactory, datamodelPaths) {
  const SchemaEngine = await loadSchemaEngine();
  const datamodels = datamodelPaths?.map((path) => [path, readFileSync(path, 'utf8')]);
  return SchemaEngine.new({ datamodels }, () => undefined, boundFactory);
}

/** Never as a panic: the CLI would offer to send a report to Prisma's servers. */
function describe(error, { errorRegistry }) {
  // What went wrong on this side of the border comes back from the engine as nothing but a number.
  const message = (lastPanic() || error.message || String(error)).replace(
    /External error id#(\d+)/,
    (unknown, number) => errorRegistry.consumeError(Number(number))?.error.message ?? unknown,
  );
  return { is_panic: false, message, meta: null, error_code: error.code };
}
