import { ArgumentsHost, Catch, ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { catalogue, isErrorCode, type ErrorCode } from '../../common/exceptions/catalogue.js';
import { isError } from '../../common/is-error.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { databaseMetrics } from '../../platform/metrics/database.metrics.js';
import { type DatabaseFailure, loggable, readDatabaseError } from '../../platform/prisma/database-error.js';
import { type ErrorBody, errorBody, fromCatalogue, type Told } from '../error-body.js';

const BY_DATABASE_FAILURE: Record<DatabaseFailure, ErrorCode> = {
  UNIQUE: 'CONFLICT',
  FOREIGN_KEY: 'INVALID_REFERENCE',
  MISSING: 'NOT_FOUND',
  CHECK: 'VALUE_OUT_OF_RANGE',
  OUT_OF_RANGE: 'VALUE_OUT_OF_RANGE',
  LOCKED: 'RESOURCE_LOCKED',
  SERIALIZATION: 'TRANSACTION_CONFLICT',
  STATEMENT_TIMEOUT: 'STATEMENT_TIMEOUT',
  POOL_EXHAUSTED: 'DATABASE_BUSY',
  UNREACHABLE: 'DATABASE_UNAVAILABLE',
};

const BY_FASTIFY_CODE: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'INVALID_JSON',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_HANDLER_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** By status, for exceptions that carry no code of ours (the framework's own). */
const BY_STATUS: Record<number, ErrorCode> = {
  400: 'VALIDATION_FAILED',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'ROUTE_NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  503: 'NOT_READY',
};

/** Turns whatever was thrown, wherever, into the one error body; tells nothing of our insides (H4). */
@Catch()
export class GlobalExceptionFilter implements ExceptionFilter {
  constructor(private readonly logger: LarderLogger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const body = errorBody(tell(exception), request);
    // After the deadline its client has been answered, and that was logged; a mistake of ours is news all the same.
    if (!reply.sent || body.statusCode === 500) this.log(exception, request, body);
    if (reply.sent) return;
    const retryAfter = isErrorCode(body.code) ? catalogue[body.code].retryAfter : undefined;
    if (exception instanceof HttpException && 'replayed' in exception)
      void reply.header('idempotency-replayed', 'true');
    if (retryAfter) void reply.header('retry-after', retryAfter);
    void reply
      .status(body.statusCode)
      .header('content-type', 'application/json; charset=utf-8')
      .send(wantsProblem(request) ? asProblem(reply, body) : body);
  }

  private log(exception: unknown, request: FastifyRequest, body: ErrorBody): void {
    const unhandled = body.statusCode === 500;
    const entry = {
      event: unhandled ? ('unhandled_exception' as const) : ('http_exception' as const),
      statusCode: body.statusCode,
      message: body.message,
      code: body.code,
      path: request.routeOptions.url ?? 'unknown',
      method: request.method,
      requestId: request.id,
      userId: request.context?.userId,
    };
    if (body.code === 'DATABASE_BUSY') databaseMetrics.acquireFailures.inc();
    if (body.code === 'RESOURCE_LOCKED') databaseMetrics.lockConflicts.inc({ resource: 'row' });
    if (!unhandled) this.logger[body.statusCode > 500 ? 'warn' : 'info'](entry);
    else if (isError(exception)) {
      this.logger.error({ ...entry, ...loggable(exception) });
    } else this.logger.error({ ...entry, error: 'something was thrown that is no Error' });
  }
}

function tell(exception: unknown): Told {
  if (exception instanceof HttpException) return tellHttp(exception);
  const fastifyCode = BY_FASTIFY_CODE[codeOf(exception)];
  if (fastifyCode) return fromCatalogue(fastifyCode);
  const database = readDatabaseError(exception);
  if (database) return fromCatalogue(BY_DATABASE_FAILURE[database.failure]);
  const status = statusOf(exception);
  if (status >= 400 && status < 500) return fromCatalogue(BY_STATUS[status] ?? 'VALIDATION_FAILED');
  return fromCatalogue('INTERNAL_ERROR');
}

function tellHttp(exception: HttpException): Told {
  // Nest hands Fastify's own refusals on as the cause of an exception without a code.
  const fastifyCode = BY_FASTIFY_CODE[codeOf(exception.cause)];
  if (fastifyCode) return fromCatalogue(fastifyCode);
  const status = exception.getStatus();
  const response = exception.getResponse() as Partial<Told>;
  if (typeof response === 'object' && typeof response.code === 'string') {
    const { code, message = '', error = STATUS_CODES[status] ?? 'Error', details } = response;
    return { statusCode: status, message, error, code, details };
  }
  const fallback = BY_STATUS[status];
  if (fallback) return fromCatalogue(fallback);
  if (status >= 500) return fromCatalogue('INTERNAL_ERROR');
  return { statusCode: status, message: exception.message, error: STATUS_CODES[status] ?? 'Error', code: 'HTTP_ERROR' };
}

function codeOf(exception: unknown): string {
  return isError(exception) && 'code' in exception ? String(exception.code) : '';
}

function statusOf(exception: unknown): number {
  return isError(exception) && 'statusCode' in exception ? Number(exception.statusCode) : 500;
}

function wantsProblem(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('application/problem+json') ?? false;
}

/** RFC 9457 members beside our own. */
function asProblem(reply: FastifyReply, body: ErrorBody): ErrorBody & Record<string, unknown> {
  void reply.header('content-type', 'application/problem+json; charset=utf-8');
  return {
    type: 'about:blank',
    title: body.error,
    status: body.statusCode,
    detail: body.message,
    instance: body.path,
    ...body,
  };
}
