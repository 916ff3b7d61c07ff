import { HttpException } from '@nestjs/common';
import { loggable, readDatabaseError, sqlStateOf } from '../prisma/database-error.js';

/** The worker was taken for dead while it ran the job, and another one has it. Whatever was done is rolled back. */
export class JobTakenError extends Error {
  readonly code = 'JOB_TAKEN';
}

/** No failure: the run ended early, and the job is back in the queue. */
export class JobPostponed extends Error {
  readonly code = 'JOB_POSTPONED';
}

export class JobTimeoutError extends Error {
  readonly code = 'JOB_TIMEOUT';
}

/** What is kept with a job that failed: a code, because messages may hold what nobody should read. */
export function codeOf(error: unknown): string {
  if (error instanceof JobTakenError || error instanceof JobTimeoutError || error instanceof JobPostponed)
    return error.code;
  if (error instanceof HttpException) {
    const { code } = error.getResponse() as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  const database = readDatabaseError(error);
  if (database) return `DATABASE_${database.failure}`;
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) return `SQLSTATE_${sqlState}`;
  return error instanceof Error ? error.name : 'UNKNOWN';
}

/** The same for the log: what is no rule and no fault of the database comes with its stack, as a 500 does. */
export function describeFailure(error: unknown): { code: string; error?: string; stack?: string } {
  const code = codeOf(error);
  if (!(error instanceof Error)) return { code, error: String(error) };
  if (/^[A-Z_]+$/.test(code)) return { code };
  return { code, ...loggable(error) };
}
