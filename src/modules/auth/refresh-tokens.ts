import { Injectable } from '@nestjs/common';
import { hash, randomBytes } from 'node:crypto';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { currentStore } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import { type TakenRow, takeToken } from './refresh-tokens.queries.js';

/**
 * Rotating refresh tokens: each is used once and answered with the next of its family (one login). One that comes a second
 * time was stolen, or its thief was faster: the whole family ends (RFC 9700, 4.14.2). Only hashes are kept.
 */
@Injectable()
export class RefreshTokens {
  constructor(
    private readonly database: Database,
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {}

  /** A token of a new family, or the next of one. */
  async issue(userId: string, familyId = newId()): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await this.database.prisma.refreshToken.create({
      data: {
        storeId: currentStore(),
        id: newId(),
        userId,
        familyId,
        tokenHash: hashOf(token),
        expiresAt: new Date(Date.now() + this.config.REFRESH_TOKEN_TTL_S * 1000),
      },
    });
    return token;
  }

  /**
   * Takes a token out of use: of two that come at once exactly one is taken.
   * @throws REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED
   */
  async take(token: string): Promise<{ userId: string; familyId: string }> {
    const [taken] = await this.database.query<TakenRow>(takeToken(hashOf(token)));
    if (taken) return { userId: taken.user_id, familyId: taken.family_id };
    const known = await this.database.prisma.refreshToken.findFirst({
      where: { tokenHash: hashOf(token) },
      select: { userId: true, familyId: true, usedAt: true },
    });
    if (!known?.usedAt) throw failure('REFRESH_TOKEN_INVALID');
    await this.revokeFamily(known.familyId);
    this.logger.warn({ event: 'auth_refresh_reused', userId: known.userId });
    throw failure('REFRESH_TOKEN_REUSED');
  }

  /** Ends the login that a token belongs to. Unknown tokens are no error: the caller wants to be logged out, and is. */
  async revoke(token: string): Promise<void> {
    const known = await this.database.prisma.refreshToken.findFirst({
      where: { tokenHash: hashOf(token) },
      select: { familyId: true },
    });
    if (known) await this.revokeFamily(known.familyId);
  }

  private async revokeFamily(familyId: string): Promise<void> {
    await this.database.prisma.refreshToken.updateMany({
      where: { familyId, revokedAt: null },
      data: { revokedAt: new Date() },
    });
  }
}

function hashOf(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash('sha256', token, 'buffer'));
}
