import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CatalogueException } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { isError } from '../../common/is-error.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
import { loggable } from '../../platform/prisma/database-error.js';
import { AuthService } from '../auth/auth.service.js';
import { answerOf } from './cart-outcome.js';
import { type CartOutcomeRow, mergeCart } from './carts.queries.js';

/** What somebody has put into a cart as a guest is in his own once he has logged in. docs/carts.md has the rules. */
@Injectable()
export class MergeCarts implements OnModuleInit {
  constructor(
    private readonly auth: AuthService,
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.auth.onArrival((userId, cartTokenHash) => this.mergeAtLogin(userId, cartTokenHash));
  }

  /**
   * JSON text of the customer's open cart, which has the guest's lines then. Twice is as once.
   * @throws NOT_FOUND, CART_CLOSED when it was ordered or merged into somebody else's, CART_FULL
   */
  async merge(customerId: string, tokenHash: Buffer): Promise<string> {
    const [row] = await this.database.query<CartOutcomeRow>(mergeCart(customerId, tokenHash, newId()));
    return answerOf(row, 'MERGED');
  }

  /** A cart that can't be merged keeps nobody from logging in: it stays as it is, and can be merged by hand. */
  private async mergeAtLogin(userId: string, tokenHash: Buffer): Promise<string | undefined> {
    try {
      const { id } = JSON.parse(await this.merge(userId, tokenHash)) as { id: string };
      return id;
    } catch (error) {
      if (error instanceof CatalogueException) {
        this.logger.info({ event: 'cart_merge_refused', userId, code: error.code });
      } else {
        this.logger.warn({ event: 'cart_merge_failed', userId, ...(isError(error) ? loggable(error) : {}) });
      }
      return undefined;
    }
  }
}
