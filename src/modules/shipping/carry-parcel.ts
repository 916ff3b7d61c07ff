import { type HttpException, Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { failure } from '../../common/exceptions/failure.js';
import type { DocumentRow } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { ChangeOrderStatus, type StepBy } from '../orders/change-order-status.js';
import type { OrderStepRow } from '../orders/orders.queries.js';
import { WalletsService } from '../wallets/wallets.service.js';
import { assignmentDocument } from './assignments.queries.js';
import {
  deliverParcel,
  type DeliveryTermsRow,
  failDelivery,
  lockDelivery,
  type MovedRow,
  pickUpParcel,
  rejectOffer,
} from './carrying.queries.js';
import { countCash } from './cash-at-the-door.js';
import type { DeliverDto, ProofDto } from './dto/assignment.dto.js';
import { OFFER_AGAIN } from './offer-again.js';
import { AGENT_STEPS } from './shipping.states.js';

/** Typing errors happen; guessing six digits takes half a million tries. */
const PROOF_ATTEMPTS = 10;

/** An agent's way with a parcel he has won: pick up, deliver or fail, or turn the offer down. */
@Injectable()
export class CarryParcel {
  constructor(
    private readonly database: Database,
    private readonly orders: ChangeOrderStatus,
    private readonly wallets: WalletsService,
    private readonly idempotency: IdempotencyService,
    private readonly jobs: Jobs,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * An open offer stays for the others; one to him alone goes to the next by a job.
   * @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION
   */
  @InvalidateCache('shipping')
  async reject(assignmentId: string, agentId: string): Promise<void> {
    const offer = await this.database.prisma.shippingAssignment.findFirst({
      where: { id: assignmentId, OR: [{ agentId }, { agentId: null, status: 'OFFERED' }] },
      select: { agentId: true },
    });
    if (!offer) throw failure('NOT_FOUND');
    if (offer.agentId === null) {
      await this.database.prisma.assignmentRejection.createMany({
        data: [{ storeId: currentStore(), assignmentId, agentId }],
        skipDuplicates: true,
      });
    } else {
      await this.database.transaction(async (tx) => {
        requireMoved(await tx.$queryRaw<MovedRow[]>(rejectOffer(assignmentId, agentId)), 'REJECTED');
        await this.jobs.enqueue(tx, OFFER_AGAIN, { assignmentId });
      });
    }
    businessMetrics.assignments.inc({ step: 'rejected' });
  }

  /** The order goes SHIPPING with it. Locks the order, then the assignment. @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION */
  @InvalidateCache('shipping')
  async pickUp(assignmentId: string, agentId: string): Promise<void> {
    const { orderId } = await this.carried(assignmentId, agentId);
    await this.database.transaction(async (tx) => {
      const order = await this.orders.lockWithin(tx, orderId);
      requireMoved(await tx.$queryRaw<MovedRow[]>(pickUpParcel(assignmentId, agentId)), 'PICKED_UP');
      // A parcel that failed once and is offered again is SHIPPING already.
      if (order.status !== 'SHIPPING') await this.orders.stepWithin(tx, orderId, 'SHIPPING', byAgent(agentId));
    });
    businessMetrics.assignments.inc({ step: 'picked_up' });
  }

  /**
   * Proof, cash, fee, shift, assignment and order in one transaction; with a key, once however often it is sent. Locks the
   * order, the assignment, the agent's cash wallet, then other wallets.
   * @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION, PROOF_REQUIRED, PROOF_INVALID, PROOF_LOCKED, CASH_MISMATCH,
   * CURRENCY_MISMATCH
   */
  @InvalidateCache('shipping')
  async deliver(assignmentId: string, agentId: string, body: DeliverDto, request?: IdempotentRequest): Promise<Answer> {
    await this.takeProofAttempt(assignmentId, agentId);
    const delivery = (tx: Transaction): Promise<object> => this.deliverWithin(tx, assignmentId, agentId, body);
    const answer = request
      ? await this.idempotency.run(agentId, request, delivery, 200)
      : { status: 200, body: await this.database.transaction(delivery), replayed: false };
    if (!answer.replayed) {
      businessMetrics.assignments.inc({ step: 'delivered' });
      this.logger.info({ event: 'shipping_assignment_completed', assignmentId, agentId });
    }
    return answer;
  }

  /** Committed before the proof is looked at, so that neither a rollback nor a hundred tries at once give one more. */
  private async takeProofAttempt(id: string, agentId: string): Promise<void> {
    const carried = { id, agentId, status: 'PICKED_UP' };
    const taken = await this.database.prisma.shippingAssignment.updateMany({
      where: { ...carried, proofAttempts: { lt: PROOF_ATTEMPTS } },
      data: { proofAttempts: { increment: 1 } },
    });
    if (taken.count > 0) return;
    const locked = await this.database.prisma.shippingAssignment.count({ where: carried });
    if (locked > 0) throw failure('PROOF_LOCKED');
  }

  private async deliverWithin(tx: Transaction, id: string, agentId: string, body: DeliverDto): Promise<object> {
    const carried = await this.carried(id, agentId, tx);
    const order = await this.orders.lockWithin(tx, carried.orderId);
    const [terms] = await tx.$queryRaw<DeliveryTermsRow[]>(lockDelivery(id, agentId));
    if (!terms) throw failure('NOT_FOUND');
    if (terms.status !== 'PICKED_UP') throw notAllowed('DELIVERED');
    checkProof(terms.delivery_proof, body.proof, order);
    const cash = countCash(body, {
      due: { amount: Number(carried.cashDue), currency: carried.currency },
      mostAbove: order.customer_id === null ? 0 : Number(terms.overpayment_limit),
    });
    const proof = { ...withoutCode(body.proof), kind: terms.delivery_proof };
    const { collected: cashCollected, shortReason } = cash;
    const delivery = deliverParcel(id, agentId, { cashCollected, shortReason, proof, shiftId: terms.shift_id });
    requireMoved(await tx.$queryRaw<MovedRow[]>(delivery), 'DELIVERED');
    await this.orders.stepWithin(tx, order.id, 'DELIVERED', {
      ...byAgent(agentId),
      cash: { agentId, collected: cashCollected - cash.above },
    });
    await this.keepChange(tx, id, agentId, order, cash.above);
    await this.payFee(tx, id, agentId, order.currency, Number(terms.agent_fee));
    const [row] = await tx.$queryRaw<DocumentRow[]>(assignmentDocument(id, agentId));
    if (!row) throw failure('NOT_FOUND');
    return JSON.parse(row.document) as object;
  }

  /** The order stays as it is, to be offered again or returned. @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION */
  @InvalidateCache('shipping')
  async fail(assignmentId: string, agentId: string, reason: string): Promise<void> {
    await this.carried(assignmentId, agentId);
    const moved = await this.database.prisma.$queryRaw<MovedRow[]>(failDelivery(assignmentId, agentId, reason));
    requireMoved(moved, 'FAILED');
    businessMetrics.assignments.inc({ step: 'failed' });
    this.logger.info({ event: 'shipping_delivery_failed', assignmentId, agentId });
  }

  private async carried(
    assignmentId: string,
    agentId: string,
    tx: Pick<Transaction, 'shippingAssignment'> = this.database.prisma,
  ) {
    const assignment = await tx.shippingAssignment.findFirst({
      where: { id: assignmentId, agentId },
      select: { orderId: true, cashDue: true, currency: true },
    });
    if (!assignment) throw failure('NOT_FOUND');
    return assignment;
  }

  /** What the customer gave beyond what was due is his: it is in his wallet. */
  private async keepChange(
    tx: Transaction,
    assignmentId: string,
    agentId: string,
    { customer_id: customerId, currency }: OrderStepRow,
    amount: number,
  ): Promise<void> {
    if (amount === 0 || customerId === null) return;
    await this.wallets.post(tx, {
      type: 'OVERPAYMENT',
      reference: assignmentId,
      actorId: agentId,
      currency,
      entries: [
        { kind: 'AGENT_CASH', ownerId: agentId, amount: -amount },
        { kind: 'CUSTOMER', ownerId: customerId, amount },
      ],
    });
  }

  private async payFee(
    tx: Transaction,
    assignmentId: string,
    agentId: string,
    currency: string,
    fee: number,
  ): Promise<void> {
    if (fee === 0) return;
    await this.wallets.post(tx, {
      type: 'AGENT_FEE',
      reference: assignmentId,
      currency,
      entries: [
        { kind: 'AGENT_EARNINGS', ownerId: agentId, amount: fee },
        { kind: 'DELIVERY_FEES', ownerId: currentStore(), amount: -fee },
      ],
    });
  }
}

function byAgent(agentId: string): StepBy {
  return { actorId: agentId, roles: ['AGENT'] };
}

function notAllowed(to: keyof typeof AGENT_STEPS): HttpException {
  return failure('ASSIGNMENT_INVALID_TRANSITION', [{ to, allowedFrom: AGENT_STEPS[to] }]);
}

function requireMoved(moved: readonly MovedRow[], to: keyof typeof AGENT_STEPS): void {
  if (moved.length === 0) throw notAllowed(to);
}

/** The code has done its work when it was right; it is not kept a second time. */
function withoutCode({ photoUrl, name }: ProofDto): object {
  return { photoUrl, name };
}

function checkProof(wanted: DeliveryTermsRow['delivery_proof'], proof: ProofDto, order: OrderStepRow): void {
  const given = { CODE: proof.code, PHOTO: proof.photoUrl, NAME: proof.name }[wanted];
  if (!given) throw failure('PROOF_REQUIRED', [{ proof: wanted.toLowerCase() }]);
  if (wanted === 'CODE' && !timingSafeEqual(Buffer.from(given), Buffer.from(order.delivery_code))) {
    throw failure('PROOF_INVALID');
  }
}
