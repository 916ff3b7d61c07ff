import { HttpException, Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { runInContext } from '../../common/request-context.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { ChangeOrderStatus } from './change-order-status.js';
import { acrossStoresOverdueOrders, type OverdueRow } from './orders.queries.js';

const EVERY_S = 5;
const BATCH = 100;

/** Orders that waited for their payment for too long give their goods, their place and their coupon back. */
@Injectable()
export class ExpireOrders implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly changing: ChangeOrderStatus,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('orders.expire', EVERY_S, ({ signal }) => this.expire(signal));
  }

  /** One transaction each: one that can't be expired now keeps no other from it. */
  async expire(signal?: AbortSignal): Promise<void> {
    let after: OverdueRow | undefined;
    do {
      const overdue: OverdueRow[] = await this.database.query<OverdueRow>(acrossStoresOverdueOrders(after, BATCH));
      for (const order of overdue) {
        if (signal?.aborted) return;
        await this.expireOne(order);
      }
      after = overdue.length === BATCH ? overdue.at(-1) : undefined;
    } while (after);
  }

  private async expireOne({ store_id: storeId, id }: OverdueRow): Promise<void> {
    await runInContext({ requestId: newId(), storeId }, async () => {
      try {
        await this.database.transaction((tx) => this.changing.stepWithin(tx, id, 'EXPIRED', { roles: ['SYSTEM'] }));
        businessMetrics.ordersExpired.inc();
        this.logger.info({ event: 'order_payment_expired_cancelled', orderId: id });
      } catch (error) {
        // Paid or cancelled a moment ago.
        if (error instanceof HttpException && error.getStatus() < 500) return;
        this.logger.warn({ event: 'order_expiry_failed', orderId: id, error: String(error) });
      }
    });
  }
}
