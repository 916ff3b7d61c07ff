import { Injectable } from '@nestjs/common';
import { errors, jwtVerify, SignJWT } from 'jose';
import { failure } from '../../common/exceptions/failure.js';
import { currentStore } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';

const TTL_S = 900;
const ISSUER = 'larder';
/** No access token passes for a quote, and no quote for an access token. */
const AUDIENCE = 'larder-quote';

export interface SignedQuote {
  quote: string;
  /** ISO 8601 */
  expiresAt: string;
}

export interface KnownQuote {
  /** Minor units. */
  total: number;
  isExpired: boolean;
}

/** What somebody was told that his cart would cost, signed, so that nothing has to be kept of it. */
@Injectable()
export class QuoteTokens {
  private readonly secret: Uint8Array;

  constructor(config: LarderConfig) {
    this.secret = new TextEncoder().encode(config.JWT_SECRET);
  }

  /** @param total minor units */
  async sign(cartId: string, total: number): Promise<SignedQuote> {
    const expiresAtS = Math.floor(Date.now() / 1000) + TTL_S;
    const quote = await new SignJWT({ store: currentStore(), total })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(cartId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(expiresAtS)
      .sign(this.secret);
    return { quote, expiresAt: new Date(expiresAtS * 1000).toISOString() };
  }

  /**
   * What a quote of this cart says. One that has expired is told as such: an order that was placed by it is answered again.
   * @throws QUOTE_INVALID when it is forged, or of another cart or store
   */
  async read(quote: string, cartId: string): Promise<KnownQuote> {
    const expected = {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: cartId,
      requiredClaims: ['exp'],
    };
    // jose tells of an expiry after all else was found right, and what it found.
    const { payload, isExpired } = await jwtVerify(quote, this.secret, expected).then(
      (verified) => ({ payload: verified.payload, isExpired: false }),
      (error: unknown) => {
        if (error instanceof errors.JWTExpired) return { payload: error.payload, isExpired: true };
        throw failure('QUOTE_INVALID');
      },
    );
    const { store, total } = payload;
    if (store !== currentStore() || !Number.isSafeInteger(total)) throw failure('QUOTE_INVALID');
    return { total: total as number, isExpired };
  }
}
