import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { failure } from '../common/exceptions/failure.js';
import { type Role, STAFF } from '../common/request-context.js';

/** The user behind a request. */
export interface Actor {
  id: string;
  roles: readonly Role[];
}

export function isStaff(actor: Actor): boolean {
  return actor.roles.some((role) => STAFF.includes(role));
}

export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const { userId, roles } = context.switchToHttp().getRequest<FastifyRequest>().context;
  if (!userId || !roles) throw failure('UNAUTHENTICATED');
  return { id: userId, roles };
});
