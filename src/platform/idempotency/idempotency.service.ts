import { HttpException, Injectable } from '@nestjs/common';
import { catalogue, isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { httpMetrics } from '../metrics/http.metrics.js';
import { Database, type Transaction } from '../prisma/database.js';

export interface IdempotentRequest {
  /** Method and route template. */
  route: string;
  key: string;
  /** SHA-256 of path and canonical body. */
  fingerprint: string;
}

export interface Answer {
  status: number;
  body: object;
  replayed: boolean;
}

/** How a key was found (idempotency_begin); response is what was answered then. */
export interface Begun {
  outcome: string;
  status_code: number | null;
  response: object | null;
}

interface StoredRefusal {
  code: string;
  details?: FailureDetails;
}

/** Not an answer to the request itself: the same key may be tried again. */
const NEVER_STORED = new Set([401, 403, 404, 429]);

@Injectable()
export class IdempotencyService {
  constructor(private readonly database: Database) {}

  /**
   * Runs an effect once for a key. The key's row commits with the effect, so a crash leaves both or neither; a definite
   * business refusal (4xx) is stored too, after the effect is rolled back to its savepoint.
   * @param status of the answer when the effect succeeds
   * @throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, or what the effect throws
   */
  async run(
    principal: string,
    request: IdempotentRequest,
    effect: (tx: Transaction) => Promise<object>,
    status = 201,
  ): Promise<Answer> {
    const outcome = await this.database.transaction(async (tx): Promise<Answer | HttpException> => {
      const [begun] = await tx.$queryRaw<Begun[]>`
        SELECT outcome, status_code, response
          FROM idempotency_begin(${currentStore()}::uuid, ${principal}, ${request.route}, ${request.key}, ${request.fingerprint})`;
      if (begun && begun.outcome !== 'NEW') return replay(begun);
      await tx.$executeRaw`SAVEPOINT effect`;
      try {
        const body = await effect(tx);
        await this.finish(tx, principal, request, status, body);
        return { status, body, replayed: false };
      } catch (error) {
        if (!isDefiniteRefusal(error)) throw error;
        await tx.$executeRaw`ROLLBACK TO SAVEPOINT effect`;
        await this.finish(tx, principal, request, error.getStatus(), error.getResponse() as object);
        return error;
      }
    });
    if (outcome instanceof HttpException) throw outcome;
    if (!outcome.replayed) httpMetrics.idempotency.inc({ result: 'new' });
    return outcome;
  }

  private async finish(
    tx: Transaction,
    principal: string,
    { route, key, fingerprint }: IdempotentRequest,
    status: number,
    body: object,
  ): Promise<void> {
    await tx.idempotencyKey.create({
      data: {
        storeId: currentStore(),
        principal,
        route,
        key,
        fingerprint,
        statusCode: status,
        response: body as Prisma.InputJsonObject,
      },
    });
  }
}

/**
 * What a key that isn't new answers.
 * @throws the stored refusal, IDEMPOTENCY_KEY_REUSED or IDEMPOTENCY_IN_PROGRESS
 */
export function replay(begun: Begun): Answer {
  httpMetrics.idempotency.inc({ result: begun.outcome.toLowerCase() });
  if (begun.outcome === 'REUSED') throw failure('IDEMPOTENCY_KEY_REUSED');
  if (begun.outcome === 'RUNNING') throw failure('IDEMPOTENCY_IN_PROGRESS');
  const status = begun.status_code ?? 500;
  const body = begun.response ?? {};
  if (status >= 400) throw replayedRefusal(status, body as StoredRefusal);
  return { status, body, replayed: true };
}

function replayedRefusal(status: number, { code, details }: StoredRefusal): HttpException {
  const known = isErrorCode(code) && catalogue[code].status === status ? code : 'BUSINESS_RULE_VIOLATION';
  return Object.assign(failure(known, details), { replayed: true });
}

function isDefiniteRefusal(error: unknown): error is HttpException {
  if (!(error instanceof HttpException)) return false;
  const status = error.getStatus();
  const { code } = error.getResponse() as Partial<StoredRefusal>;
  return status >= 400 && status < 500 && !NEVER_STORED.has(status) && code !== 'VALIDATION_FAILED';
}
