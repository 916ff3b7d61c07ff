import { Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { readDatabaseError } from '../../platform/prisma/database-error.js';
import { expireOffers, insertOffer, lockOrderForOffer } from './assignments.queries.js';
import type { MovedRow } from './carrying.queries.js';
import {
  dueOffers,
  type DueOfferRow,
  endedOffer,
  type EndedOfferRow,
  nextAgent,
  tellUnclaimed,
} from './offers.queries.js';

/** The job that goes on after a rejection. */
export const OFFER_AGAIN = 'shipping.offer-again';
const EVERY_S = 5;
/** Of one store in one go; the next is EVERY_S away. */
const BATCH = 500;

/** Offers that came to nothing, and what comes after them; docs/offers.md says how. */
@Injectable()
export class OfferAgain implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.jobs.handle<{ assignmentId: string }>(OFFER_AGAIN, async ({ assignmentId }, job) => {
      await job.commitWith((tx) => this.afterRejection(tx, assignmentId));
    });
    this.jobs.schedule('shipping.expire-offers', EVERY_S, ({ signal }) =>
      this.jobs.eachStore(() => this.expireDue(signal)),
    );
  }

  /** Ends the current store's offers that ran out, each in a transaction of its own, and offers their orders again. */
  async expireDue(signal?: AbortSignal): Promise<void> {
    let expired = 0;
    for (const offer of await this.database.query<DueOfferRow>(dueOffers(BATCH))) {
      if (signal?.aborted) break;
      if (await this.expire(offer)) expired += 1;
    }
    if (expired === 0) return;
    businessMetrics.assignments.inc({ step: 'expired' }, expired);
    this.logger.info({ event: 'shipping_expiry_completed', expired });
  }

  /** False when it was taken, or withdrawn, in the last moment; or when somebody holds it: then the next run looks again. */
  private async expire({ id, order_id: orderId }: DueOfferRow): Promise<boolean> {
    try {
      return await this.database.transaction(async (tx) => {
        await tx.$queryRaw(lockOrderForOffer(orderId));
        const expired = await tx.$queryRaw<MovedRow[]>(expireOffers(orderId));
        if (expired.length > 0) await this.goOn(tx, id);
        return expired.length > 0;
      });
    } catch (error) {
      if (readDatabaseError(error)?.failure === 'LOCKED') return false;
      throw error;
    }
  }

  /** Locks the order, as whoever offers it does. Nothing happens the second time. */
  async afterRejection(tx: Transaction, assignmentId: string): Promise<void> {
    const rejected = await tx.shippingAssignment.findFirst({
      where: { id: assignmentId },
      select: { orderId: true },
    });
    if (!rejected) return;
    await tx.$queryRaw(lockOrderForOffer(rejected.orderId));
    await this.goOn(tx, assignmentId);
  }

  /** The next agent; when there is none, or enough were asked, all; when nobody took it in all rounds, staff. */
  private async goOn(tx: Transaction, assignmentId: string): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'shipping');
    const [ended] = await tx.$queryRaw<EndedOfferRow[]>(endedOffer(assignmentId));
    if (!ended || ended.settled) return;
    const { order_id: orderId, agent_id: asked, round, offer_rounds: rounds } = ended;
    const next = asked !== null && round < rounds ? await this.nextAgent(tx, ended) : null;
    if (next !== null) return this.offer(tx, orderId, next, round + 1);
    if (asked !== null) return this.offer(tx, orderId, null, 1);
    if (round < rounds) return this.offer(tx, orderId, null, round + 1);
    await tx.$executeRaw(tellUnclaimed(assignmentId, orderId, round));
    this.logger.warn({ event: 'shipping_unclaimed_detected', assignmentId, orderId, rounds });
  }

  private async nextAgent(tx: Transaction, { order_id: orderId, zip }: EndedOfferRow): Promise<string | null> {
    const [agent] = await tx.$queryRaw<{ id: string }[]>(nextAgent(orderId, zip));
    return agent?.id ?? null;
  }

  private async offer(tx: Transaction, orderId: string, agentId: string | null, round: number): Promise<void> {
    await tx.$queryRaw(insertOffer({ assignmentId: newId(), orderId, agentId, round }));
  }
}
