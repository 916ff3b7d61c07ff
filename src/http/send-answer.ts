import type { FastifyReply } from 'fastify';
import type { Answer } from '../platform/idempotency/idempotency.service.js';

/** Sends a stored or new answer; a stored one says so. */
export function sendAnswer(reply: FastifyReply, { status, body, replayed }: Answer): object {
  void reply.status(status);
  if (replayed) void reply.header('idempotency-replayed', 'true');
  return body;
}
