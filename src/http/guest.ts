import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import { type Actor } from './actor.js';

/** Longer than any token of a cart. */
const MAX_TOKEN = 256;

/** Who asks where a login isn't needed: a user, or a guest with the token of his cart. */
export interface Visitor {
  /** Undefined without a login; a login wins over a token. */
  actor?: Actor;
  /** SHA-256 of X-Cart-Token; null where none was sent. */
  cartTokenHash: Buffer | null;
}

export const CurrentVisitor = createParamDecorator((_data: unknown, context: ExecutionContext): Visitor => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { userId, roles } = request.context;
  if (userId && roles) return { actor: { id: userId, roles }, cartTokenHash: null };
  return { cartTokenHash: sentCartToken(request) };
});

/** SHA-256 of X-Cart-Token, whoever sends it; null where none was sent. For who comes in with the cart he had as a guest. */
export const SentCartToken = createParamDecorator((_data: unknown, context: ExecutionContext): Buffer | null =>
  sentCartToken(context.switchToHttp().getRequest<FastifyRequest>()),
);

export function sentCartToken({ headers }: FastifyRequest): Buffer | null {
  const token = headers['x-cart-token'];
  const isToken = typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN;
  return isToken ? hashCartToken(token) : null;
}

/** What is kept of a cart's token. */
export function hashCartToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
