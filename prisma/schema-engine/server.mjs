import pg from 'pg';

/** What the engine says to the CLI when it fails: Prisma's code beside a message for a person. */
export class EngineError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const UNKNOWN_DATABASE = '3D000';
const DUPLICATE_DATABASE = new Set(['42P04', '23505']); // 23505: two sessions created it at the same moment
const MAINTENANCE_DATABASES = ['postgres', 'template1'];
const CONNECT_TIMEOUT_MS = 10_000;

/** Options for pg. UTC, because adapter-pg drops the offset of a timestamptz and reads the rest as UTC. */
export function connectionOptions(url, database) {
  const parsed = parse(url);
  const schema = parsed.searchParams.get('schema');
  const settings = ['-c TimeZone=UTC', parsed.searchParams.get('options')];
  if (schema) settings.push(`-c search_path=${pg.escapeIdentifier(schema).replace(/([\\ ])/g, '\\$1')}`);
  parsed.searchParams.set('options', settings.filter(Boolean).join(' '));
  if (database) parsed.pathname = `/${encodeURIComponent(database)}`;
  return {
    connectionString: parsed.href,
    application_name: 'prisma-schema-engine',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
}

function parse(url) {
  if (!url) throw new EngineError('P1013', 'This needs a database: set DATABASE_URL');
  try {
    return new URL(url);
  } catch {
    // Not the URL itself: it holds the password.
    throw new EngineError('P1013', 'The database URL is not valid: expected postgresql://user:password@host:port/name');
  }
}

export const databaseName = (url) => decodeURIComponent(parse(url).pathname.slice(1)) || parse(url).username;
export const schemaName = (url) => parse(url).searchParams.get('schema') ?? 'public';

/** A connected client; the caller ends it. Throws EngineError, never with the password in it. */
export async function connect(url, database) {
  const client = new pg.Client(connectionOptions(url, database));
  client.on('error', () => undefined); // a lost connection fails the query under way; without this, the process
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw explain(error, url);
  }
}

/** Connects to the server to create or drop databases: by way of the URL's own database, or else of one that is always there. */
export async function connectToServer(url) {
  for (const database of [undefined, ...MAINTENANCE_DATABASES]) {
    try {
      return await connect(url, database);
    } catch (error) {
      if (error.code !== 'P1003') throw error;
    }
  }
  throw new EngineError('P1003', 'The server has neither the database of the URL nor postgres nor template1');
}

export async function createDatabase(url) {
  const client = await connectToServer(url);
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(databaseName(url))}`);
  } catch (error) {
    if (!DUPLICATE_DATABASE.has(error.code)) throw explain(error, url);
  } finally {
    await client.end();
  }
}

function explain(error, url) {
  const { hostname, port, username, searchParams } = parse(url);
  const at = `${hostname || searchParams.get('host') || 'localhost'}:${port || searchParams.get('port') || 5432}`;
  const user = decodeURIComponent(username);
  switch (error.code) {
    case '28P01':
    case '28000':
      return new EngineError('P1000', `The server at ${at} refused the credentials of user "${user}"`);
    case UNKNOWN_DATABASE:
      return new EngineError('P1003', `Database "${databaseName(url)}" does not exist on the server at ${at}`);
    case '42501':
      return new EngineError('P1010', `User "${user}" lacks the right at ${at}: ${error.message}`);
  }
  // A refused connection to a name of several addresses is an AggregateError, whose message is empty.
  if (error.severity === undefined) {
    return new EngineError('P1001', `Can't reach the database server at ${at}: ${error.message || error.code}`);
  }
  return new EngineError('P1011', `The database server at ${at} answered: ${error.message}`);
}
