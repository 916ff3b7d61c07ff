import { Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { currentStore, runInContext } from '../../common/request-context.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { paymentMetrics } from '../../platform/metrics/payment.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { LookAtPayment } from './look-at-payment.js';
import {
  acrossStoresBacklog,
  acrossStoresClaimOperations,
  begunRefunds,
  type ClaimedRow,
  type OperationBacklogRow,
  type OperationIdRow,
} from './payment-operations.queries.js';
import { acrossStoresForgetEvents, markProcessed } from './provider-events.queries.js';
import { PaymentProviders } from './providers/payment-providers.js';
import type { TestNews } from './providers/test-provider.js';
import { ReceiveEvent } from './receive-event.js';
import { RunOperation } from './run-operation.js';

const SWEEP_EVERY_S = 2;
const FORGET_EVERY_S = 3600;
const KEEP_EVENTS_DAYS = 90;
const BATCH = 1000;
/** Each waits for its provider, seconds perhaps, and then wants a connection: ten of them emptied a pool that was still filling. */
const AT_ONCE = 5;
const MAX_ROUNDS = 100;

/** What happens to payments without anybody waiting for it. */
@Injectable()
export class PaymentJobs implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly database: Database,
    private readonly running: RunOperation,
    private readonly looking: LookAtPayment,
    private readonly receiving: ReceiveEvent,
    private readonly providers: PaymentProviders,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.handle<{ operationId: string }>('payments.operate', async ({ operationId }) => {
      await this.running.runDue(operationId);
    });
    this.jobs.handle<{ paymentId: string; ref: string | null; provider: string; eventId: string }>(
      'payments.look',
      async ({ paymentId, ref, provider, eventId }, job) => {
        if (ref) await this.look(paymentId, ref);
        await job.commitWith((tx) => tx.$executeRaw(markProcessed(provider, eventId)));
      },
    );
    this.jobs.handle<Omit<TestNews, 'storeId'>>('payments.test-webhook', (news) => this.tellAsTestProvider(news));
    this.jobs.handle<{ ref: string; approved: boolean }>('payments.test-bank', async ({ ref, approved }) => {
      await this.providers.test?.answerAsBank(ref, approved);
    });
    this.jobs.schedule('payments.sweep', SWEEP_EVERY_S, ({ signal }) => this.sweep(signal));
    this.jobs.schedule('payments.forget-events', FORGET_EVERY_S, ({ signal }) => this.forgetEvents(signal));
  }

  private async look(paymentId: string, ref: string): Promise<void> {
    await this.looking.look(paymentId, ref);
    for (const { id } of await this.database.query<OperationIdRow>(begunRefunds(paymentId))) {
      await this.running.runDue(id, { early: true });
    }
  }

  private async tellAsTestProvider(news: Omit<TestNews, 'storeId'>): Promise<void> {
    const webhook = this.providers.test?.writeWebhook({ ...news, storeId: currentStore() });
    if (webhook) await this.receiving.receive('test', webhook.body, webhook.headers);
  }

  /** What nobody has brought to an end: an answer was lost, a process died, a provider was away. */
  async sweep(signal?: AbortSignal): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !signal?.aborted; round++) {
      const claimed = await this.database.query<ClaimedRow>(acrossStoresClaimOperations(AT_ONCE, this.running.leaseMs));
      await Promise.all(claimed.map((row) => this.runClaimed(row)));
      if (claimed.length < AT_ONCE) break;
    }
    const [backlog] = await this.database.query<OperationBacklogRow>(acrossStoresBacklog());
    paymentMetrics.pending.set(backlog?.pending ?? 0);
    paymentMetrics.oldest.set(backlog?.oldest_s ?? 0);
  }

  private async forgetEvents(signal: AbortSignal): Promise<void> {
    for (let gone = BATCH; gone === BATCH && !signal.aborted;) {
      gone = (await this.database.query(acrossStoresForgetEvents(KEEP_EVENTS_DAYS, BATCH))).length;
    }
  }

  private async runClaimed({ store_id: storeId, id }: ClaimedRow): Promise<void> {
    await runInContext({ requestId: newId(), storeId }, async () => {
      try {
        await this.running.runClaimed(id);
      } catch (error) {
        this.logger.warn({ event: 'payment_sweep_failed', operationId: id, error: String(error) });
      }
    });
  }
}
