import { Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import type { DocumentRow } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { ChangeOrderStatus, type StepBy } from '../orders/change-order-status.js';
import type { OrderStepRow } from '../orders/orders.queries.js';
import { WalletsService } from '../wallets/wallets.service.js';
import { assignmentDocument, deliveryTerms, type DeliveryTermsRow } from './assignments.queries.js';
import type { DeliverDto, ProofDto } from './dto/assignment.dto.js';
import { AGENT_STEPS } from './shipping.states.js';

/** Typing errors happen; guessing six digits takes half a million tries. */
const PROOF_ATTEMPTS = 10;

interface Carried {
  id: string;
  orderId: string;
  status: string;
  cashDue: bigint;
  currency: string;
}

/** An agent's way with a parcel he has won: pick up, deliver or fail, or turn the offer down. */
@Injectable()
export class CarryParcel {
  constructor(
    private readonly database: Database,
    private readonly orders: ChangeOrderStatus,
    private readonly wallets: WalletsService,
    private readonly idempotency: IdempotencyService,
    private readonly logger: LarderLogger,
  ) {}

  /** An open offer stays for the others. @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION */
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
      const closed = { closedAt: new Date() };
      await this.database.transaction((tx) => this.move(tx, assignmentId, agentId, 'REJECTED', closed));
    }
    businessMetrics.assignments.inc({ step: 'rejected' });
  }

  /** The order goes SHIPPING with it. Locks the order, then the assignment. @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION */
  async pickUp(assignmentId: string, agentId: string): Promise<void> {
    const { orderId } = await this.carried(assignmentId, agentId);
    await this.database.transaction(async (tx) => {
      const order = await this.orders.lockWithin(tx, orderId);
      await this.move(tx, assignmentId, agentId, 'PICKED_UP', { pickedUpAt: new Date() });
      // A parcel that failed once and is offered again is SHIPPING already.
      if (order.status !== 'SHIPPING') await this.orders.stepWithin(tx, orderId, 'SHIPPING', byAgent(agentId));
    });
    businessMetrics.assignments.inc({ step: 'picked_up' });
  }

  /**
   * Proof, cash, fee, assignment and order in one transaction; with a key, once however often it is sent. Locks the order,
   * the assignment, then wallets.
   * @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION, PROOF_REQUIRED, PROOF_INVALID, PROOF_LOCKED, CASH_MISMATCH,
   * CURRENCY_MISMATCH
   */
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

  private async deliverWithin(
    tx: Transaction,
    assignmentId: string,
    agentId: string,
    body: DeliverDto,
  ): Promise<object> {
    const carried = await this.carried(assignmentId, agentId, tx);
    const order = await this.orders.lockWithin(tx, carried.orderId);
    const [terms] = await tx.$queryRaw<DeliveryTermsRow[]>(deliveryTerms());
    if (!terms) throw failure('NOT_FOUND');
    await this.move(tx, assignmentId, agentId, 'DELIVERED', {
      deliveredAt: new Date(),
      closedAt: new Date(),
      cashCollected: carried.cashDue,
      proof: { ...withoutCode(body.proof), kind: terms.delivery_proof },
    });
    checkProof(terms.delivery_proof, body.proof, order);
    checkCash(carried, body);
    await this.orders.stepWithin(tx, order.id, 'DELIVERED', {
      ...byAgent(agentId),
      cash: { agentId, collected: Number(carried.cashDue) },
    });
    await this.payFee(tx, assignmentId, agentId, order.currency, Number(terms.agent_fee));
    const [row] = await tx.$queryRaw<DocumentRow[]>(assignmentDocument(assignmentId, agentId));
    if (!row) throw failure('NOT_FOUND');
    return JSON.parse(row.document) as object;
  }

  /** The order stays as it is, to be offered again or returned. @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION */
  async fail(assignmentId: string, agentId: string, reason: string): Promise<void> {
    await this.carried(assignmentId, agentId);
    await this.database.transaction((tx) =>
      this.move(tx, assignmentId, agentId, 'FAILED', { failReason: reason, closedAt: new Date() }),
    );
    businessMetrics.assignments.inc({ step: 'failed' });
    this.logger.info({ event: 'shipping_delivery_failed', assignmentId, agentId });
  }

  private async carried(
    assignmentId: string,
    agentId: string,
    tx: Pick<Transaction, 'shippingAssignment'> = this.database.prisma,
  ) {
    const assignment: Carried | null = await tx.shippingAssignment.findFirst({
      where: { id: assignmentId, agentId },
      select: { id: true, orderId: true, status: true, cashDue: true, currency: true },
    });
    if (!assignment) throw failure('NOT_FOUND');
    return assignment;
  }

  /** Compare-and-set from the statuses that the step is allowed from. */
  private async move(
    tx: Transaction,
    assignmentId: string,
    agentId: string,
    to: keyof typeof AGENT_STEPS,
    columns: {
      pickedUpAt?: Date;
      deliveredAt?: Date;
      closedAt?: Date;
      failReason?: string;
      cashCollected?: bigint;
      proof?: object;
    },
  ): Promise<void> {
    const from = [...AGENT_STEPS[to]];
    const moved = await tx.shippingAssignment.updateMany({
      where: { id: assignmentId, agentId, status: { in: from } },
      data: { ...columns, status: to },
    });
    if (moved.count === 0) throw failure('ASSIGNMENT_INVALID_TRANSITION', [{ to, allowedFrom: from }]);
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

function checkCash({ cashDue, currency }: Carried, { cashCollected }: DeliverDto): void {
  const due = money(cashDue, currency);
  const collected = cashCollected ?? money(0, currency);
  if (collected.currency !== due.currency) throw failure('CURRENCY_MISMATCH');
  if (collected.amount !== due.amount) throw failure('CASH_MISMATCH', [{ due }]);
}
