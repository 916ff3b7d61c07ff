import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import {
  type OperationRow,
  runningOperation,
  writeFinishedOperation,
  writeOperation,
} from './payment-operations.queries.js';
import { lockOrderOfPayment } from './payments.queries.js';
import { PaymentProviders } from './providers/payment-providers.js';
import type { Outcome, ProviderState } from './providers/payment-provider.js';
import { RecordOutcome } from './record-outcome.js';
import { SettlePayment } from './settle-payment.js';

/**
 * Brings a payment in line with what its provider says of it now. News of a provider only say that something happened, late,
 * twice or in the wrong order as they come: what is believed is asked for.
 */
@Injectable()
export class LookAtPayment {
  constructor(
    private readonly database: Database,
    private readonly providers: PaymentProviders,
    private readonly recording: RecordOutcome,
    private readonly settling: SettlePayment,
    private readonly logger: LarderLogger,
  ) {}

  /**
   * @param ref the provider's id of a payment, which may be unknown to Larder as yet
   * @throws Error when the provider can't tell now
   */
  async look(paymentId: string, ref: string): Promise<ProviderState | undefined> {
    const payment = await this.database.prisma.payment.findFirst({
      where: { id: paymentId },
      select: { provider: true },
    });
    const provider = payment?.provider && this.providers.find(payment.provider);
    if (!provider) return undefined;
    const [before] = await this.database.query<OperationRow>(runningOperation(paymentId));
    const state = await provider.retrieve(ref);
    await this.database.transaction(async (tx) => {
      await tx.$queryRaw(lockOrderOfPayment(paymentId));
      await this.believe(tx, { paymentId, ref, waited: before?.action_required ? before.id : undefined }, state);
    });
    return state;
  }

  private async believe(
    tx: Transaction,
    { paymentId, ref, waited }: { paymentId: string; ref: string; waited?: string },
    state: ProviderState,
  ): Promise<void> {
    const payment = await this.settling.read(tx, paymentId);
    if (payment.providerRef !== null && payment.providerRef !== ref) return this.letStrayGo(tx, payment, ref, state);
    const [running] = await tx.$queryRaw<OperationRow[]>(runningOperation(paymentId));
    if (running) {
      const outcome = meaningFor(running, ref, state, waited);
      if (outcome) await this.recording.recordWithin(tx, running, outcome);
      return;
    }
    await this.catchUp(tx, payment, ref, state);
  }

  /** The provider is further than Larder, which has asked for nothing. */
  private async catchUp(
    tx: Transaction,
    { id, status, amount, capturedAmount }: Awaited<ReturnType<SettlePayment['read']>>,
    ref: string,
    { state }: ProviderState,
  ): Promise<void> {
    const taken = state === 'CAPTURED';
    if (status === 'PENDING' && (state === 'AUTHORIZED' || taken)) {
      await tx.$executeRaw(
        writeFinishedOperation({ id: newId(), paymentId: id, kind: 'AUTHORIZE', amount: Number(amount) }),
      );
      return this.settling.authorized(tx, id, ref);
    }
    if (taken && capturedAmount === 0n) return this.settling.capturedUnasked(tx, id);
    if (state === 'AUTHORIZED' && status === 'VOIDED') return this.settling.authorized(tx, id, ref);
    if (state === 'VOIDED' && status === 'AUTHORIZED') return this.settling.captureFailed(tx, id, 'VOIDED');
  }

  /** An authorisation that no operation of Larder knows to be its own any more. */
  private async letStrayGo(
    tx: Transaction,
    { id, orderId, amount }: { id: string; orderId: string; amount: bigint },
    ref: string,
    { state }: ProviderState,
  ): Promise<void> {
    if (state !== 'AUTHORIZED' && state !== 'CAPTURED') return;
    this.logger.error({ event: 'payment_stray_detected', paymentId: id, orderId, state });
    if (state === 'CAPTURED') return;
    const known = await tx.paymentOperation.count({ where: { paymentId: id, kind: 'VOID', providerRef: ref } });
    if (known > 0) return;
    await tx.$queryRaw(
      writeOperation({ id: newId(), paymentId: id, kind: 'VOID', amount: Number(amount), providerRef: ref }),
    );
  }
}

/**
 * What a state says of the operation under way; undefined: nothing. That no card was accepted is believed only of the
 * authorisation that the customer was to act for, before the state was asked for: of any other it may be what was before it.
 */
function meaningFor(
  { id, kind }: OperationRow,
  ref: string,
  state: ProviderState,
  waited: string | undefined,
): Outcome | undefined {
  const succeeded: Outcome = { result: 'SUCCEEDED', ref };
  const gone: Outcome = { result: 'FAILED', code: 'VOIDED', ref: null };
  switch (state.state) {
    case 'AUTHORIZED':
      return kind === 'AUTHORIZE' ? succeeded : undefined;
    case 'CAPTURED':
      return kind === 'VOID' ? { result: 'FAILED', code: 'CAPTURED', ref } : succeeded;
    case 'VOIDED':
      return kind === 'VOID' ? succeeded : gone;
    case 'WAITING':
      if (kind !== 'AUTHORIZE' || id !== waited) return undefined;
      return { result: 'FAILED', code: state.failureCode ?? 'card_declined', ref };
    case 'ACTION_REQUIRED':
    case 'PROCESSING':
      return undefined;
  }
}
