import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import { failure } from '../common/exceptions/failure.js';
import type { IdempotentRequest } from '../platform/idempotency/idempotency.service.js';

const KEY_FORM = /^[\x21-\x7e]{16,255}$/;

/**
 * The request's Idempotency-Key with what it stands for.
 * @throws IDEMPOTENCY_KEY_REQUIRED when it is missing or not 16 to 255 visible characters
 */
export const Idempotent = createParamDecorator((_data: unknown, context: ExecutionContext): IdempotentRequest =>
  idempotentRequest(requestOf(context)),
);

/**
 * The same where a key may be left out: undefined without one.
 * @throws IDEMPOTENCY_KEY_REQUIRED when there is one that isn't 16 to 255 visible characters
 */
export const OptionalIdempotent = createParamDecorator(
  (_data: unknown, context: ExecutionContext): IdempotentRequest | undefined => {
    const request = requestOf(context);
    return request.headers['idempotency-key'] === undefined ? undefined : idempotentRequest(request);
  },
);

function requestOf(context: ExecutionContext): FastifyRequest {
  return context.switchToHttp().getRequest<FastifyRequest>();
}

function idempotentRequest(request: FastifyRequest): IdempotentRequest {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !KEY_FORM.test(key)) throw failure('IDEMPOTENCY_KEY_REQUIRED');
  return {
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    key,
    fingerprint: hash('sha256', `${request.url}\n${canonicalJson(request.body)}`, 'hex'),
  };
}

/** The same content gives the same text, whatever the order of its keys. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
