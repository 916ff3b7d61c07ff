import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { failure } from '../../common/exceptions/failure.js';
import { type Access, ACCESS } from '../../http/access.js';
import { sentCartToken } from '../../http/guest.js';
import { StoresService } from '../stores/stores.service.js';
import { AccessTokens } from './access-tokens.js';

/** Settles for each request who asks and for which store: the token's, else X-Store's, else the default. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokens,
    private readonly stores: StoresService,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      execution.getHandler(),
      execution.getClass(),
    ]);
    if (access === 'operations') return true;
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const token = access === 'anonymous' ? undefined : bearerToken(request);
    if (token === undefined) {
      if (!isOpen(access, request)) throw failure('UNAUTHENTICATED');
      request.context.storeId = await this.stores.idOf(storeHeader(request));
      return true;
    }
    const claims = await this.tokens.verify(token);
    request.context.storeId = claims.storeId;
    request.context.userId = claims.userId;
    request.context.roles = claims.roles;
    if (Array.isArray(access) && !claims.roles.some((role) => access.includes(role))) throw failure('FORBIDDEN');
    return true;
  }
}

/** Whether a route is for somebody without a login. */
function isOpen(access: Access | undefined, request: FastifyRequest): boolean {
  if (!Array.isArray(access)) return access === 'anonymous' || access === 'public';
  return access.includes('STRANGER') || (access.includes('GUEST') && sentCartToken(request) !== null);
}

function bearerToken(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const [scheme, token, ...rest] = header.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) throw failure('UNAUTHENTICATED');
  return token;
}

function storeHeader(request: FastifyRequest): string | undefined {
  const header = request.headers['x-store'];
  return typeof header === 'string' && header !== '' ? header : undefined;
}
