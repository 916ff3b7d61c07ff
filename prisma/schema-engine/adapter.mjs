import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, DriverAdapterError } from '@prisma/driver-adapter-utils';
import { connectionOptions, connectToServer, schemaName } from './server.mjs';

const CHAR_OID = 18;
const TEXT_OID = 25;
const CHAR_MARK = '\u0001char:';

/** One connection, kept: the engine takes an advisory lock and expects its later statements in the same session. */
function openPool(url, database) {
  const pool = new pg.Pool({ ...connectionOptions(url, database), max: 1, idleTimeoutMillis: 0 });
  pool.on('connect', ({ connection }) => connection.prependListener('rowDescription', markCharacters));
  return pool;
}

/**
 * adapter-pg refuses columns of the catalogue type "char", which the engine reads from pg_constraint and the like. They
 * come in as text under a marked name, and `restoreCharacters` gives them their type on their way to the engine.
 */
function markCharacters({ fields }) {
  for (const field of fields) {
    if (field.dataTypeID !== CHAR_OID) continue;
    field.dataTypeID = TEXT_OID;
    field.name = CHAR_MARK + field.name;
  }
}

function restoreCharacters(result) {
  result.columnNames.forEach((name, column) => {
    if (!name.startsWith(CHAR_MARK)) return;
    result.columnNames[column] = name.slice(CHAR_MARK.length);
    result.columnTypes[column] = ColumnTypeEnum.Character;
  });
  return result;
}

/**
 * The server's errors go to the engine as they are: it maps SQLSTATEs itself, and chokes on kinds that adapter-pg has
 * made up since (7.10: `InvalidInputValue`), hiding what is wrong with a migration.
 */
function throwServerError({ code, severity, message, detail, column, hint }) {
  throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
}

/**
 * A script's author wants the server's words and the line. For the SQLSTATEs that the engine knows it would print its own
 * words ("No such table: …") without either, so it gets one that it doesn't know.
 */
function locate({ severity, code, message, detail, position }, script) {
  const line = position && script.slice(0, Number(position)).split('\n').length;
  const place = line ? `line ${line}, SQLSTATE ${code}` : `SQLSTATE ${code}`;
  return { severity, code: 'XX000', message: `${message}${detail ? `: ${detail}` : ''} (${place})` };
}

/** Makes adapter-pg's adapter, or a transaction of it, one that the engine gets on with. */
function forEngine(queryable) {
  const queryRaw = queryable.queryRaw.bind(queryable);
  const onError = queryable.onError.bind(queryable);
  queryable.queryRaw = async (query) => restoreCharacters(await queryRaw(query));
  queryable.onError = (error) => (error.severity ? throwServerError(error) : onError(error));
  return queryable;
}

async function openAdapter(url, database) {
  const pool = openPool(url, database);
  const options = { schema: schemaName(url), disposeExternalPool: true };
  const adapter = forEngine(await new PrismaPg(pool, options).connect());
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (isolation) => forEngine(await startTransaction(isolation));
  // adapter-pg cuts scripts at every semicolon, also inside function bodies. The server parses a script properly, and
  // runs it in one implicit transaction, as the native engine has it do.
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error.severity ? locate(error, script) : error));
  };
  return adapter;
}

/** The engine's way to PostgreSQL, with shadow databases that are its own and leave nothing behind. */
export class SchemaEngineAdapterFactory extends PrismaPg {
  #url;
  #shadowServerUrl;
  #shadows = new Map();

  constructor({ url, shadowDatabaseUrl }) {
    super({}); // both ways to connect are overridden; what's left of the parent is its name and provider
    this.#url = url;
    this.#shadowServerUrl = shadowDatabaseUrl || url;
  }

  connect() {
    return openAdapter(this.#url);
  }

  /**
   * adapter-pg's own version ignores `database` beside a connection string, so that it would replay the migrations on
   * the real database, and drops the shadow database while still connected to it, which PostgreSQL refuses.
   */
  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    const server = await connectToServer(this.#shadowServerUrl);
    await server.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
    this.#shadows.set(database, server);
    const adapter = await openAdapter(this.#shadowServerUrl, database);
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      await dispose();
      await this.#drop(database);
    };
    return adapter;
  }

  /** For an engine that is told to stop half-way. */
  async dropShadowDatabases() {
    await Promise.all([...this.#shadows.keys()].map((database) => this.#drop(database)));
  }

  async #drop(database) {
    const server = this.#shadows.get(database);
    if (!this.#shadows.delete(database)) return;
    await server.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
    await server.end();
  }
}
