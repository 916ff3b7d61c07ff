import { Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database } from '../../platform/prisma/database.js';
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
      this.logger.info({
        event: 'cart_merge_refused',
        userId,
        error: error instanceof Error ? error.message : undefined,
      });
      return undefined;
    }
  }
}
