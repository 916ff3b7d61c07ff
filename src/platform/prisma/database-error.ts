import { isError } from '../../common/is-error.js';

/** What a failure of the database means, whichever way it came: Prisma model query, raw query, pg, the pool. */
export type DatabaseFailure =
  | 'UNIQUE'
  | 'FOREIGN_KEY'
  | 'MISSING'
  | 'CHECK'
  | 'OUT_OF_RANGE'
  | 'LOCKED'
  | 'SERIALIZATION'
  | 'STATEMENT_TIMEOUT'
  | 'POOL_EXHAUSTED'
  | 'UNREACHABLE';

export interface DatabaseErrorInfo {
  failure: DatabaseFailure;
  sqlState?: string;
  /** Name of the constraint, for our own decisions; never for a client. */
  constraint?: string;
}

const BY_SQLSTATE: Record<string, DatabaseFailure> = {
  '23505': 'UNIQUE',
  '23503': 'FOREIGN_KEY',
  // What ON DELETE RESTRICT says since PostgreSQL 18.
  '23001': 'FOREIGN_KEY',
  '23514': 'CHECK',
  '22003': 'OUT_OF_RANGE',
  // Text that PostgreSQL can't hold. The edge refuses such requests (acceptable-input.ts); this is the net below it.
  '22021': 'OUT_OF_RANGE',
  '22P05': 'OUT_OF_RANGE',
  '55P03': 'LOCKED',
  '40001': 'SERIALIZATION',
  '40P01': 'SERIALIZATION',
  '57014': 'STATEMENT_TIMEOUT',
  '25P03': 'STATEMENT_TIMEOUT',
  '53200': 'POOL_EXHAUSTED',
  '53300': 'POOL_EXHAUSTED',
  // The way to the server broke; a server that is a stand-by now (25006) or has no room (53100) takes no writes.
  '08000': 'UNREACHABLE',
  '08001': 'UNREACHABLE',
  '08003': 'UNREACHABLE',
  '08004': 'UNREACHABLE',
  '08006': 'UNREACHABLE',
  '25006': 'UNREACHABLE',
  '53100': 'UNREACHABLE',
  '57P01': 'UNREACHABLE',
  '57P02': 'UNREACHABLE',
  '57P03': 'UNREACHABLE',
  '57P05': 'UNREACHABLE',
};

const BY_PRISMA_CODE: Record<string, DatabaseFailure> = {
  P2002: 'UNIQUE',
  P2003: 'FOREIGN_KEY',
  P2025: 'MISSING',
  P2020: 'OUT_OF_RANGE',
  P2034: 'SERIALIZATION',
  P2024: 'POOL_EXHAUSTED',
  P2028: 'STATEMENT_TIMEOUT',
  P1001: 'UNREACHABLE',
  P1002: 'UNREACHABLE',
  P1008: 'UNREACHABLE',
  P1017: 'UNREACHABLE',
};

const BY_KIND: Record<string, DatabaseFailure> = {
  UniqueConstraintViolation: 'UNIQUE',
  ForeignKeyConstraintViolation: 'FOREIGN_KEY',
  TransactionWriteConflict: 'SERIALIZATION',
  DatabaseNotReachable: 'UNREACHABLE',
  ConnectionClosed: 'UNREACHABLE',
  SocketTimeout: 'UNREACHABLE',
  TooManyConnections: 'POOL_EXHAUSTED',
};

/** P2028 is all that can be wrong with a transaction; this one of it is a pool that has no connection. */
const NO_CONNECTION_IN_TIME = /Unable to start a transaction in the given time/;

/** pg and its pool say these in plain text; each was provoked in test/faults. */
const BY_MESSAGE: [RegExp, DatabaseFailure][] = [
  [/timeout exceeded when trying to connect/, 'POOL_EXHAUSTED'],
  // Not STATEMENT_TIMEOUT, which tells that nothing was changed: a COMMIT may have gone through.
  [/Query read timeout/, 'UNREACHABLE'],
  [/Connection terminated|connection error|not queryable|Client was closed|connection is closed/i, 'UNREACHABLE'],
];

const UNREACHABLE_SYSCALLS = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH']);

interface LooseError {
  code?: unknown;
  message?: unknown;
  constraint?: unknown;
  severity?: unknown;
  cause?: unknown;
  meta?: { driverAdapterError?: { cause?: unknown } };
}

interface AdapterCause {
  originalCode?: string;
  kind?: string;
  originalMessage?: string;
  constraint?: { index?: string };
}

/** The way to the database broke: whether it has committed nobody knows. */
export function mayBeCommitted(error: unknown): boolean {
  return readDatabaseError(error)?.failure === 'UNREACHABLE';
}

/** Reads what the database said out of an error; undefined when it is no error of the database. */
export function readDatabaseError(error: unknown): DatabaseErrorInfo | undefined {
  if (!isError(error)) return undefined;
  const loose = error as LooseError;
  const cause = causeOf(loose);
  const code = typeof loose.code === 'string' ? loose.code : undefined;
  const sqlState = [cause.originalCode, code].find((value) => value !== undefined && value in BY_SQLSTATE);
  const failure =
    (sqlState && BY_SQLSTATE[sqlState]) ??
    (cause.kind && BY_KIND[cause.kind]) ??
    (code && byCode(code, String(loose.message))) ??
    byMessage(`${String(loose.message)} ${cause.originalMessage ?? ''}`);
  if (!failure) return undefined;
  const constraint = cause.constraint?.index ?? (typeof loose.constraint === 'string' ? loose.constraint : undefined);
  return { failure, sqlState, constraint };
}

function causeOf({ meta, cause }: LooseError): AdapterCause {
  return meta?.driverAdapterError?.cause ?? cause ?? {};
}

function byCode(code: string, message: string): DatabaseFailure | undefined {
  if (UNREACHABLE_SYSCALLS.has(code)) return 'UNREACHABLE';
  if (code === 'P2028' && NO_CONNECTION_IN_TIME.test(message)) return 'POOL_EXHAUSTED';
  return BY_PRISMA_CODE[code];
}

function byMessage(message: string): DatabaseFailure | undefined {
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
}

/** The code that PostgreSQL gave an error, also one that means nothing particular to Larder; undefined when it gave none. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!isError(error)) return undefined;
  const { originalCode } = causeOf(error);
  if (originalCode !== undefined) return originalCode;
  // Only what PostgreSQL said has a severity: EPIPE and P2010 have five characters too.
  const { code, severity } = error as LooseError;
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined;
}

/** True when the error is a violation of exactly this constraint. */
export function violates(error: unknown, constraint: string): boolean {
  const info = readDatabaseError(error);
  if (info?.failure !== 'CHECK' && info?.failure !== 'UNIQUE') return false;
  return info.constraint === constraint || (isError(error) && error.message.includes(constraint));
}

/**
 * An error as the log may have it. Prisma's validation errors show the arguments of the call, names and password hashes
 * among them, whatever its errorFormat; what is wrong stands in their last line.
 */
export function loggable({ name, message, stack }: Error): { error: string; stack?: string } {
  if (name !== 'PrismaClientValidationError') return { error: message, stack };
  const reason = message.trimEnd().split('\n').at(-1) ?? '';
  return { error: reason, stack: stack?.replace(message, () => reason) };
}
