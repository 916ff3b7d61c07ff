import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { connectionOptions, connectToServer, schemaName } from './server.mjs';

const CHAR_OID = 18;
const TEXT_OID = 25;
const CHAR_MARK = '\u0001char:';

/**
 * One connection, kept: the engine takes an advisory lock and expects its later statements in the same session.
 *
 * adapter-pg refuses columns of the catalogue type "char", which the engine reads from pg_class and the like. Here they
 * become text with a marked name, and `CharacterColumns` below gives them their type back.
 */
function openPool(url, database) {
  const pool = new pg.Pool({ ...connectionOptions(url, database), max: 1, idleTimeoutMillis: 0 });
  pool.on('connect', ({ connection }) => {
    connection.prependListener('rowDescription', ({ fields }) => {
      for (const field of fields) {
        if (field.dataTypeID !== CHAR_OID) continue;
        field.dataTypeID = TEXT_OID;
        field.name = CHAR_MARK + field.name;
      }
    });
  });
  return pool;
}

function restoreCharacters(result) {
  result.columnNames.forEach((name, column) => {
    if (!name.startsWith(CHAR_MARK)) return;
    result.columnNames[column] = name.slice(CHAR_MARK.length);
    result.columnTypes[column] = ColumnTypeEnum.Character;
  });
  return result;
}

function withCharacters(queryable) {
  const queryRaw = queryable.queryRaw.bind(queryable);
  queryable.queryRaw = async (query) => restoreCharacters(await queryRaw(query));
  return queryable;
}

async function openAdapter(url, database) {
  const pool = openPool(url, database);
  const options = { schema: schemaName(url), disposeExternalPool: true };
  const adapter = withCharacters(await new PrismaPg(pool, options).connect());
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (isolation) => withCharacters(await startTransaction(isolation));
  // adapter-pg cuts scripts at every semicolon, also inside function bodies. The server parses a script properly, and
  // runs it in one implicit transaction, as the native engine has it do.
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error));
  };
  return adapter;
}

/** The engine's way to PostgreSQL, with shadow databases that are its own and leave nothing behind. */
export class SchemaEngineAdapterFactory extends PrismaPg {
  #url;
  #shadowServerUrl;
  #shadows = new Map();

  constructor({ url, shadowDatabaseUrl }) {
    super(connectionOptions(url));
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
