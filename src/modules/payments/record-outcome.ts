import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import {
  finishOperation,
  operationById,
  type OperationRow,
  postponeOperation,
  writeOperation,
} from './payment-operations.queries.js';
import { lockOrderOfPayment } from './payments.queries.js';
import type { Outcome } from './providers/payment-provider.js';
import { RefundPayment } from './refund-payment.js';
import { SettlePayment } from './settle-payment.js';

const LONGEST_DELAY_S = 600;
/** The customer answers his bank; its webhook is what usually tells. */
const ACTION_DELAY_MS = 30_000;

type Definite = Extract<Outcome, { result: 'SUCCEEDED' | 'FAILED' }>;

/** The second half of an operation: what the provider has answered becomes fact, once, whoever brings the answer. */
@Injectable()
export class RecordOutcome {
  constructor(
    private readonly database: Database,
    private readonly settling: SettlePayment,
    private readonly refunds: RefundPayment,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Locks the order, then its payment and what that brings about. An operation that has ended stays as it is. */
  async record(operation: Pick<OperationRow, 'id' | 'payment_id'>, outcome: Outcome): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.$queryRaw(lockOrderOfPayment(operation.payment_id));
      const [found] = await tx.$queryRaw<OperationRow[]>(operationById(operation.id));
      if (found?.status === 'PENDING') await this.recordWithin(tx, found, outcome);
    });
  }

  /** The same in the transaction of a caller who holds the order's row and has read the operation under it. */
  async recordWithin(tx: Transaction, operation: OperationRow, outcome: Outcome): Promise<void> {
    this.cacheInvalidation.invalidateAfter(tx, 'payments');
    switch (outcome.result) {
      case 'UNKNOWN':
        return this.postpone(tx, operation, outcome);
      case 'ACTION_REQUIRED':
        return this.awaitCustomer(tx, operation, outcome.ref);
      case 'RENEW':
        return this.renew(tx, operation, outcome.code);
      case 'SUCCEEDED':
      case 'FAILED':
        return this.finish(tx, operation, outcome);
    }
  }

  private async postpone(
    tx: Transaction,
    { id, kind, attempts }: OperationRow,
    { code, ref }: Extract<Outcome, { result: 'UNKNOWN' }>,
  ): Promise<void> {
    const delayMs = 1000 * Math.min(2 ** Math.min(attempts, 20), LONGEST_DELAY_S);
    await tx.$executeRaw(postponeOperation(id, { delayMs, code, ref: kind === 'REFUND' ? ref : undefined }));
  }

  private async awaitCustomer(tx: Transaction, operation: OperationRow, ref: string): Promise<void> {
    const { id, payment_id: paymentId } = operation;
    if (await this.settling.expectCustomer(tx, paymentId, ref)) {
      await tx.$executeRaw(postponeOperation(id, { delayMs: ACTION_DELAY_MS, actionRequired: true }));
      return;
    }
    await tx.$executeRaw(finishOperation(id, { status: 'FAILED', code: 'ORDER_ENDED' }));
    await this.settling.giveBackHold(tx, paymentId);
  }

  /** The same again as an operation of its own. */
  private async renew(tx: Transaction, operation: OperationRow, code: string): Promise<void> {
    const { id, kind, payment_id: paymentId, refund_id: refundId } = operation;
    await tx.$executeRaw(finishOperation(id, { status: 'FAILED', code }));
    const amount = Number(operation.amount);
    await tx.$queryRaw(writeOperation({ id: newId(), paymentId, kind, amount, refundId: refundId ?? undefined }));
  }

  private async finish(tx: Transaction, operation: OperationRow, outcome: Definite): Promise<void> {
    const { id, kind, payment_id: paymentId } = operation;
    const succeeded = outcome.result === 'SUCCEEDED';
    const code = succeeded ? undefined : outcome.code;
    const ref = kind === 'REFUND' ? outcome.ref : undefined;
    await tx.$executeRaw(finishOperation(id, { status: outcome.result, code, ref }));
    switch (kind) {
      case 'AUTHORIZE':
        if (!succeeded) return this.settling.declined(tx, paymentId, outcome);
        return this.settling.authorized(tx, paymentId, outcome.ref ?? null);
      case 'CAPTURE':
        if (!succeeded) return this.settling.captureFailed(tx, paymentId, outcome.code);
        return this.settling.captured(tx, paymentId);
      case 'VOID':
        // Of an authorisation that is not the payment's own: it knows nothing of it.
        if (operation.operation_ref !== null) return;
        if (succeeded) return this.settling.voided(tx, paymentId);
        if (outcome.code === 'CAPTURED') return this.settling.capturedUnasked(tx, paymentId);
        this.logger.error({ event: 'payment_void_failed', paymentId, code });
        return;
      case 'REFUND':
        if (!operation.refund_id) throw new Error('A REFUND without its refund');
        if (!succeeded) return this.refunds.failed(tx, operation.refund_id);
        return this.refunds.succeeded(tx, operation.refund_id);
    }
  }
}
