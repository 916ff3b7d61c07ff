import { SetMetadata } from '@nestjs/common';
import type { Role } from '../common/request-context.js';

/**
 * Who may call a route:
 * - 'operations': anybody, about no store (probes, metrics, webhooks)
 * - 'anonymous': anybody, a token isn't looked at (login)
 * - 'public': anybody, but a token that is sent must be valid
 * - roles: a valid token with one of them. GUEST among them: also without a login, with the token of a cart; what it opens is
 *   for the route to say. STRANGER: without anything.
 */
export type Access = 'operations' | 'anonymous' | 'public' | readonly (Role | 'GUEST' | 'STRANGER')[];

export const ACCESS = Symbol('access');

export const Operations = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'operations');
export const Anonymous = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'anonymous');
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'public');
/** Without it a route is for everybody who is logged in. */
export const Roles = (...roles: (Role | 'GUEST' | 'STRANGER')[]): MethodDecorator & ClassDecorator =>
  SetMetadata(ACCESS, roles);
