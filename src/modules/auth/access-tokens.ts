import { Injectable } from '@nestjs/common';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { failure } from '../../common/exceptions/failure.js';
import { isId } from '../../common/ids.js';
import { type Role, ROLES } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';

export interface AccessClaims {
  userId: string;
  storeId: string;
  roles: Role[];
}

interface Verified extends AccessClaims {
  expiresAtMs: number;
}

const ISSUER = 'larder';
const AUDIENCE = 'larder-api';

/** Short-lived JWTs (HS256). Store and roles are claims, so that a request needs no look-up. */
@Injectable()
export class AccessTokens {
  private readonly secret: Uint8Array;
  /** Verifying costs 0.1 ms, a client sends the same token for minutes. Bounded; an entry dies with its token. */
  private readonly verified = new LRUCache<string, Verified>({ max: 10_000 });

  constructor(private readonly config: LarderConfig) {
    this.secret = new TextEncoder().encode(config.JWT_SECRET);
  }

  async issue({ userId, storeId, roles }: AccessClaims): Promise<string> {
    return new SignJWT({ store: storeId, roles })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(userId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${this.config.ACCESS_TOKEN_TTL_S}s`)
      .sign(this.secret);
  }

  /** @throws UNAUTHENTICATED when forged, expired, for another audience, or not of our form */
  async verify(token: string): Promise<AccessClaims> {
    const known = this.verified.get(token);
    if (known && known.expiresAtMs > Date.now()) return known;
    const claims = await this.decode(token);
    this.verified.set(token, claims);
    return claims;
  }

  private async decode(token: string): Promise<Verified> {
    const { payload } = await jwtVerify(token, this.secret, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp', 'sub', 'store', 'roles'],
    }).catch(() => {
      throw failure('UNAUTHENTICATED');
    });
    const { sub, store, roles, exp } = payload;
    if (!sub || !isId(sub) || typeof store !== 'string' || !isId(store) || !areRoles(roles))
      throw failure('UNAUTHENTICATED');
    return { userId: sub, storeId: store, roles, expiresAtMs: (exp ?? 0) * 1000 };
  }
}

function areRoles(value: unknown): value is Role[] {
  return Array.isArray(value) && value.every((role) => ROLES.includes(role as Role));
}
