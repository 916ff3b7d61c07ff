import type pg from 'pg';
import { isError } from '../../common/is-error.js';
import { currentContext, type RequestContext } from '../../common/request-context.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { databaseMetrics } from '../metrics/database.metrics.js';

export interface SlowQueryLimits {
  logMs: number;
  warnMs: number;
}

interface Described {
  operation: string;
  table: string;
}

const OPERATION = /\b(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|SET|WITH)\b/i;
const TABLE = /\b(?:FROM|INTO|UPDATE|JOIN)\s+(?:ONLY\s+)?(?:"public"\.)?"?([a-z_]+)"?/i;
const DESCRIPTIONS_KEPT = 1000;

/**
 * Times every statement at the level of the connection: Prisma's, raw ones, those of transactions. Knows its operation and
 * table from the text with placeholders, so that no parameter value can reach a log or a label.
 */
export class QueryObserver {
  private readonly described = new Map<string, Described>();

  constructor(
    private readonly limits: SlowQueryLimits,
    private readonly logger: LarderLogger,
  ) {}

  watch(client: pg.Client): void {
    // Without a listener, a connection that breaks while it is in use would end the process.
    client.on('error', (error) => this.connectionLost(error));
    const original = client.query.bind(client) as (...args: unknown[]) => unknown;
    const observed = (...args: unknown[]): unknown => {
      const started = performance.now();
      // A callback runs in the context of the request that the connection was opened for, not of the one that asks.
      const context = currentContext();
      const done = (error?: unknown): void => {
        this.finished(args[0], performance.now() - started, context);
        // pg keeps such a connection waiting for the late answer, and whoever gets it next behind it.
        if (isReadTimeout(error)) client.connection.stream.destroy();
      };
      const callback = args.at(-1);
      // pg-pool's own query() hands a callback down, everything else waits for a promise.
      if (typeof callback === 'function') {
        args[args.length - 1] = (...answer: unknown[]): void => {
          done(answer[0]);
          (callback as (...answer: unknown[]) => void)(...answer);
        };
        return original(...args);
      }
      const result = original(...args);
      if (result instanceof Promise) result.then(() => done(), done);
      return result;
    };
    client.query = observed as typeof client.query;
  }

  private connectionLost(error: Error): void {
    this.logger.warn({ event: 'database_connection_failed', ...requestOf(undefined), error: error.message });
  }

  private finished(query: unknown, duration: number, context: RequestContext | undefined): void {
    const { operation, table } = this.describe(textOf(query));
    databaseMetrics.queryDuration.observe({ operation, table }, duration / 1000);
    if (duration < this.limits.logMs) return;
    const warning = duration >= this.limits.warnMs;
    const entry = {
      event: 'slow_query_detected' as const,
      ...requestOf(context),
      duration: Math.round(duration),
      threshold: warning ? this.limits.warnMs : this.limits.logMs,
      table,
      operation,
    };
    databaseMetrics.slowQueries.inc({ operation, table, threshold: String(entry.threshold) });
    if (warning) this.logger.warn(entry);
    else this.logger.info(entry);
  }

  private describe(text: string): Described {
    const known = this.described.get(text);
    if (known) return known;
    const description = {
      operation: (OPERATION.exec(text)?.[1] ?? 'OTHER').toUpperCase(),
      table: TABLE.exec(text)?.[1] ?? 'none',
    };
    if (this.described.size < DESCRIPTIONS_KEPT) this.described.set(text, description);
    return description;
  }
}

/** Said always, so that the logger doesn't take the request that it finds around it. */
function requestOf(context: RequestContext | undefined) {
  return { requestId: context?.requestId, userId: context?.userId };
}

/** The server has not answered within query_timeout: it, or the way to it, hangs. */
function isReadTimeout(error: unknown): boolean {
  return isError(error) && error.message === 'Query read timeout';
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  if (query && typeof query === 'object' && 'text' in query && typeof query.text === 'string') return query.text;
  return '';
}
