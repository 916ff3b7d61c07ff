import { Injectable, type OnModuleInit } from '@nestjs/common';
import { isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import { decodeCursor, type DocumentRow, toDocumentPage, UUID_CURSOR } from '../../common/pagination.js';
import { type Actor, isStaff } from '../../http/actor.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type Begun,
  type IdempotentRequest,
  replay,
} from '../../platform/idempotency/idempotency.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { businessMetrics } from '../../platform/metrics/business.metrics.js';
import { httpMetrics } from '../../platform/metrics/http.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { ApprovalsService } from '../approvals/approvals.service.js';
import { RefundPayment } from '../payments/refund-payment.js';
import type { RefundDto, RefundResponse } from './dto/refund.dto.js';
import { refundDocument, type RefundDocumentRow, refundDocuments, requestRefund } from './refunds.queries.js';

/** Refunds that staff ask for. Those of orders that end are part of the order's step: RefundPayment.rest(). */
@Injectable()
export class RefundsService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly approvals: ApprovalsService,
    private readonly payments: RefundPayment,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.approvals.on('REFUND', {
      approved: (tx, { subjectId, decidedBy }) => this.payments.pay(tx, subjectId, decidedBy),
      rejected: (tx, { subjectId, decidedBy }) => this.payments.reject(tx, subjectId, decidedBy),
    });
  }

  /**
   * Once for a key. Its money is reserved at once, in the one statement that decides: see request_refund() for what it locks.
   * @throws NOT_FOUND, REFUND_AMBIGUOUS, CURRENCY_MISMATCH, REFUND_DESTINATION_NOT_ALLOWED, REFUND_EXCEEDS_LINES,
   * REFUND_GOODS_NOT_SHIPPED, REFUND_PAID_ELSEWHERE, REFUND_EXCEEDS_CAPTURE, NOTHING_TO_REFUND
   */
  @InvalidateCache('refunds', 'payments', 'wallets', 'approvals')
  async request(actorId: string, orderId: string, body: RefundDto, request: IdempotentRequest): Promise<Answer> {
    const { amount, lines, destination, reason } = body;
    if (lines && (amount || hasRepeated(lines.map(({ variantId }) => variantId)))) throw failure('REFUND_AMBIGUOUS');
    const wish = {
      orderId,
      actorId,
      amount: amount?.amount ?? null,
      currency: amount?.currency ?? null,
      lines: lines ?? null,
      destination,
      reason,
    };
    const [row] = await this.database.query<Begun & Record<string, unknown>>(requestRefund(wish, request));
    if (!row) throw new Error('request_refund answered nothing');
    if (row.outcome === 'REFUNDED' && row.response) return this.opened(row.response as RefundResponse);
    if (!isErrorCode(row.outcome)) return replay(row);
    httpMetrics.idempotency.inc({ result: 'new' });
    throw failure(row.outcome, (row.response as { details?: FailureDetails } | null)?.details);
  }

  /** JSON text of a refund: of one's own order, or any for staff. @throws NOT_FOUND */
  async document(refundId: string, actor: Actor): Promise<string> {
    const [row] = await this.database.query<DocumentRow>(refundDocument(refundId, ownerFilter(actor)));
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  /** JSON text of a page of an order's refunds, newest first. @throws NOT_FOUND, INVALID_CURSOR */
  async page(orderId: string, { limit, cursor }: PageQuery, actor: Actor): Promise<string> {
    const after = decodeCursor('refunds', cursor, UUID_CURSOR);
    const rows = await this.database.query<RefundDocumentRow & Record<string, unknown>>(
      refundDocuments(orderId, ownerFilter(actor), { after, limit }),
    );
    if (rows.length === 0) throw failure('NOT_FOUND');
    const documents = rows.flatMap(({ id, document }) => (id === null ? [] : [{ id, document }]));
    return toDocumentPage('refunds', documents, limit);
  }

  private opened(refund: RefundResponse): Answer {
    httpMetrics.idempotency.inc({ result: 'new' });
    businessMetrics.refunds.inc({ outcome: refund.status.toLowerCase() });
    if (refund.lines.some(({ goods }) => goods === 'RESTOCK')) this.cacheInvalidation.invalidate('inventory');
    this.logger.info({ event: 'refund_request_created', refundId: refund.id, orderId: refund.orderId });
    return { status: 201, body: refund, replayed: false };
  }
}

function hasRepeated(ids: readonly string[]): boolean {
  return new Set(ids).size < ids.length;
}

function ownerFilter(actor: Actor): string | null {
  return isStaff(actor) ? null : actor.id;
}
