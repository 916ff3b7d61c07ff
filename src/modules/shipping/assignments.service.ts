import { Injectable, type OnModuleInit } from '@nestjs/common';
import { isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { decodeCursor, type DocumentRow, toDocumentPage, UUID_CURSOR } from '../../common/pagination.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { databaseMetrics } from '../../platform/metrics/database.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { ChangeOrderStatus, type StepTaken } from '../orders/change-order-status.js';
import { AgentsService } from './agents.service.js';
import {
  acceptAssignment,
  type AcceptRow,
  assignmentDocument,
  assignmentDocuments,
  expireOffers,
  insertOffer,
  lockOrderForOffer,
  type OfferableRow,
} from './assignments.queries.js';
import { activeAssignments, cancelAssignments, type MovedRow } from './carrying.queries.js';
import type { AssignmentsQuery, OfferDto } from './dto/assignment.dto.js';
import { ACTIVE, SHIPPABLE } from './shipping.states.js';

/** Offering parcels and winning them. Carrying them to the door is in carry-parcel.ts. */
@Injectable()
export class AssignmentsService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly orders: ChangeOrderStatus,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.orders.onStep((tx, step) => this.followOrder(tx, step));
  }

  /** JSON text of an assignment that the actor may see. @throws NOT_FOUND */
  async document(assignmentId: string, actor: Actor): Promise<string> {
    const [row] = await this.database.query<DocumentRow>(assignmentDocument(assignmentId, viewerOf(actor)));
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  /** JSON text of a page: all for staff; for an agent his own and the open offers he may take. */
  async page(query: AssignmentsQuery, actor: Actor): Promise<string> {
    const after = decodeCursor('assignments', query.cursor, UUID_CURSOR);
    const { status, limit } = query;
    const rows = await this.database.query<DocumentRow>(
      assignmentDocuments({ viewer: viewerOf(actor), status, after, limit }),
    );
    return toDocumentPage('assignments', rows, limit);
  }

  /**
   * Offers an order to one agent or to all eligible. An offer that ran out makes room for the new one. Locks the order, then
   * its assignments.
   * @returns the assignment's id
   * @throws NOT_FOUND, ORDER_NOT_SHIPPABLE, ASSIGNMENT_ACTIVE, INVALID_REFERENCE, AGENT_NOT_ELIGIBLE, FLOAT_LIMIT_REACHED
   */
  @InvalidateCache('shipping')
  async offer({ orderId, agentId }: OfferDto): Promise<string> {
    const assignmentId = newId();
    await this.database.transaction(async (tx) => {
      const [order] = await tx.$queryRaw<OfferableRow[]>(lockOrderForOffer(orderId));
      if (!order) throw failure('NOT_FOUND');
      if (!SHIPPABLE.includes(order.status)) throw failure('ORDER_NOT_SHIPPABLE');
      if (agentId) await this.agents.requireOfferable(tx, agentId, order.delivery_zip);
      await tx.$queryRaw(expireOffers(orderId));
      const offer = insertOffer({ assignmentId, orderId, agentId: agentId ?? null, round: 1 });
      const offered = await tx.$queryRaw<object[]>(offer);
      if (offered.length === 0) throw failure('ASSIGNMENT_ACTIVE');
    });
    businessMetrics.assignments.inc({ step: 'offered' });
    return assignmentId;
  }

  /**
   * The race: of all agents who come at once exactly one wins, the others are told at once (H6). Who has it and asks again,
   * because the answer was lost on its way, has it still.
   * JSON text of the assignment as its agent sees it.
   * @throws NOT_FOUND, ASSIGNMENT_CONFLICT, ASSIGNMENT_TAKEN, ASSIGNMENT_EXPIRED, AGENT_NOT_ELIGIBLE, FLOAT_LIMIT_REACHED
   */
  @InvalidateCache('shipping')
  async accept(assignmentId: string, actor: Actor): Promise<string> {
    const accepting = acceptAssignment(assignmentId, actor.id);
    const [row] = await this.database.queryThen<AcceptRow, DocumentRow>(accepting, ([accepted]) => {
      this.requireAccepted(assignmentId, actor.id, accepted);
      return assignmentDocument(assignmentId, viewerOf(actor));
    });
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  private requireAccepted(assignmentId: string, agentId: string, row: AcceptRow | undefined): void {
    const outcome = row?.outcome ?? 'NOT_FOUND';
    if (outcome === 'ACCEPTED') {
      businessMetrics.assignments.inc({ step: 'accepted' });
      businessMetrics.acceptanceLatency.observe((row?.waited_ms ?? 0) / 1000);
      this.logger.info({ event: 'shipping_assignment_accepted', assignmentId, agentId });
      return;
    }
    if (outcome === 'HAS_IT') return;
    if (outcome === 'ASSIGNMENT_CONFLICT' || outcome === 'ASSIGNMENT_TAKEN') {
      const reason = outcome === 'ASSIGNMENT_CONFLICT' ? 'locked' : 'taken';
      if (reason === 'locked') databaseMetrics.lockConflicts.inc({ resource: 'assignment' });
      this.logger.info({ event: 'shipping_assignment_conflict', assignmentId, agentId, reason });
    }
    throw failure(isErrorCode(outcome) ? outcome : 'INTERNAL_ERROR');
  }

  /**
   * Staff take an assignment back, from an agent who can't go on or doesn't answer: the order is free to be offered again or
   * to be ended. Locks the order, then the assignment.
   * @throws NOT_FOUND, ASSIGNMENT_INVALID_TRANSITION
   */
  @InvalidateCache('shipping')
  async withdraw(id: string, actorId: string, reason: string): Promise<void> {
    const assignment = await this.database.prisma.shippingAssignment.findFirst({
      where: { id },
      select: { orderId: true },
    });
    if (!assignment) throw failure('NOT_FOUND');
    await this.database.transaction(async (tx) => {
      await this.orders.lockWithin(tx, assignment.orderId);
      const withdrawn = await tx.$queryRaw<MovedRow[]>(cancelAssignments({ id }, ACTIVE, reason));
      if (withdrawn.length === 0)
        throw failure('ASSIGNMENT_INVALID_TRANSITION', [{ to: 'CANCELLED', allowedFrom: ACTIVE }]);
    });
    businessMetrics.assignments.inc({ step: 'cancelled' });
    this.logger.info({ event: 'shipping_assignment_cancelled', assignmentId: id, userId: actorId });
  }

  /** An order that ends takes its assignment with it; one that an agent carries is his to deliver. The order is locked. */
  private async followOrder(tx: Transaction, { order, to, by }: StepTaken): Promise<void> {
    const takenOverTheCounter = to === 'DELIVERED' && !by.cash;
    const ends = to === 'CANCELLED' || to === 'RETURNED' || to === 'EXPIRED';
    if (takenOverTheCounter || ends) this.cacheInvalidation.invalidateAfter(tx, 'shipping');
    if (takenOverTheCounter) {
      // First the offer, then the look: an acceptance comes before the one or after the other.
      await tx.$queryRaw(cancelAssignments({ orderId: order.id }, ['OFFERED'], null));
      const active = await tx.$queryRaw<MovedRow[]>(activeAssignments(order.id));
      if (active.length > 0) throw failure('ORDER_HAS_ACTIVE_ASSIGNMENT');
    }
    if (ends) await tx.$queryRaw(cancelAssignments({ orderId: order.id }, ACTIVE, null));
  }
}

function viewerOf(actor: Actor): string | null {
  return isStaff(actor) ? null : actor.id;
}
