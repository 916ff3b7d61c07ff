import { Injectable } from '@nestjs/common';
import { currentStore } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { paymentMetrics } from '../../platform/metrics/payment.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { LookAtPayment } from './look-at-payment.js';
import { claimOperation, operationById, type OperationRow } from './payment-operations.queries.js';
import { PaymentProviders } from './providers/payment-providers.js';
import type { OperationKind, Outcome, PaymentProvider, ProviderOperation } from './providers/payment-provider.js';
import { RecordOutcome } from './record-outcome.js';

/** For what a provider's library does beside waiting for the answer. */
const MARGIN_MS = 500;
/** Who charged the cards of imported orders: nobody who could be asked, ever. */
const IMPORTED = 'imported';
const NOUN: Record<OperationKind, string> = {
  AUTHORIZE: 'authorization',
  CAPTURE: 'capture',
  VOID: 'void',
  REFUND: 'refund',
};

/** Asks the provider for what was written and committed before, outside of any transaction, and has the answer recorded. */
@Injectable()
export class RunOperation {
  /** So long nobody else asks for the same: a call, and recording it. */
  readonly leaseMs: number;
  private readonly callMs: number;

  constructor(
    private readonly database: Database,
    private readonly providers: PaymentProviders,
    private readonly recording: RecordOutcome,
    private readonly looking: LookAtPayment,
    private readonly logger: LarderLogger,
    config: LarderConfig,
  ) {
    this.callMs = config.PAYMENT_TIMEOUT_MS + MARGIN_MS;
    this.leaseMs = this.callMs + config.TRANSACTION_TIMEOUT_MS;
  }

  /** Nothing happens to one that has ended, or that somebody else is at. */
  async runDue(operationId: string, { early = false } = {}): Promise<Outcome | undefined> {
    const [operation] = await this.database.query<OperationRow>(claimOperation(operationId, this.leaseMs, early));
    return operation && this.run(operation);
  }

  /** One that the caller has claimed. */
  async runClaimed(operationId: string): Promise<void> {
    const [operation] = await this.database.query<OperationRow>(operationById(operationId));
    if (operation?.status === 'PENDING') await this.run(operation);
  }

  private async run(operation: OperationRow): Promise<Outcome | undefined> {
    const { payment_id: paymentId, payment_ref: ref } = operation;
    // Asked again it would tell what it told before: that the customer has to act. Whether he did is seen in the payment.
    if (operation.action_required && ref) {
      await this.looking.look(paymentId, ref);
      return undefined;
    }
    const outcome = await this.ask(operation);
    await this.recording.record(operation, outcome);
    return outcome;
  }

  private async ask(operation: OperationRow): Promise<Outcome> {
    const { provider: name, kind, payment_id: paymentId, order_id: orderId } = operation;
    const provider = this.providers.find(name);
    if (name === IMPORTED) return { result: 'FAILED', code: 'PAID_ELSEWHERE' };
    if (!provider) return { result: 'UNKNOWN', code: 'PROVIDER_NOT_CONFIGURED' };
    const about = { paymentId, orderId, operationId: operation.id, provider: name };
    this.logger.info({ event: `payment_${NOUN[kind]}_started`, ...about, attempt: operation.attempts });
    const started = performance.now();
    const outcome = await this.inTime(provider, toProvider(operation));
    const duration = performance.now() - started;
    paymentMetrics.operations.inc({ provider: name, kind, outcome: outcome.result });
    paymentMetrics.duration.observe({ provider: name, kind }, duration / 1000);
    const told = { ...about, duration: Math.round(duration), code: 'code' in outcome ? outcome.code : undefined };
    if (outcome.result === 'SUCCEEDED') this.logger.info({ event: `payment_${NOUN[kind]}_completed`, ...told });
    else if (outcome.result === 'UNKNOWN') this.logger.warn({ event: `payment_${NOUN[kind]}_retry`, ...told });
    else this.logger.info({ event: `payment_${NOUN[kind]}_refused`, ...told, outcome: outcome.result });
    return outcome;
  }

  /** An answer that comes after its time is nobody's: asked again, the provider gives it again. */
  private async inTime(provider: PaymentProvider, operation: ProviderOperation): Promise<Outcome> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => resolve({ result: 'UNKNOWN', code: 'TIMEOUT' }), this.callMs);
    });
    try {
      return await Promise.race([provider.perform(operation), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function toProvider(operation: OperationRow): ProviderOperation {
  const isRefund = operation.kind === 'REFUND';
  return {
    id: operation.id,
    storeId: currentStore(),
    paymentId: operation.payment_id,
    orderId: operation.order_id,
    kind: operation.kind,
    amount: Number(operation.amount),
    currency: operation.currency,
    ref: (isRefund ? null : operation.operation_ref) ?? operation.payment_ref,
    refundRef: isRefund ? operation.operation_ref : null,
    source: operation.source,
    attempts: operation.attempts,
    createdAt: operation.created_at,
  };
}
