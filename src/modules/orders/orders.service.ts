import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import {
  decodeCursor,
  type DocumentRow,
  NUMBER_CURSOR,
  type Page,
  toDocumentPage,
  toPage,
  UUID_CURSOR,
} from '../../common/pagination.js';
import { type Actor, isStaff } from '../../http/actor.js';
import type { Visitor } from '../../http/guest.js';
import type { PageQuery } from '../../http/page.dto.js';
import { Database } from '../../platform/prisma/database.js';
import type { OrderHistoryResponse, OrdersQuery } from './dto/order.dto.js';
import { guestsOrderDocument, orderDocument, orderDocuments } from './orders.queries.js';

/** Reading orders. Placing them and moving them on are use cases of their own, beside this file. */
@Injectable()
export class OrdersService {
  constructor(private readonly database: Database) {}

  /** JSON text of an order: one's own, a guest's by his cart's token, or any for staff. @throws NOT_FOUND */
  async document(orderId: string, { actor, cartTokenHash }: Visitor): Promise<string> {
    const wanted = actor
      ? orderDocument(orderId, actor.id, ownerFilter(actor))
      : guestsOrderDocument(orderId, cartTokenHash);
    const [row] = await this.database.query<DocumentRow>(wanted);
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  /** JSON text of a page, newest first. */
  async page(query: OrdersQuery, actor: Actor): Promise<string> {
    const rows = await this.database.query<DocumentRow>(
      orderDocuments({
        viewerId: actor.id,
        ownerId: ownerFilter(actor),
        status: query.status,
        after: decodeCursor('orders', query.cursor, UUID_CURSOR),
        limit: query.limit,
      }),
    );
    return toDocumentPage('orders', rows, query.limit);
  }

  /** Who did what, when and why; oldest first. @throws NOT_FOUND */
  async history(orderId: string, query: PageQuery, actor: Actor): Promise<Page<OrderHistoryResponse>> {
    const after = decodeCursor('history', query.cursor, NUMBER_CURSOR);
    const order = await this.database.prisma.order.findFirst({
      where: { id: orderId, ...(isStaff(actor) ? {} : { customerId: actor.id }) },
      select: {
        history: {
          where: { version: { gt: after === null ? 0 : Number(after) } },
          orderBy: { version: 'asc' },
          take: query.limit + 1,
        },
      },
    });
    if (!order) throw failure('NOT_FOUND');
    const rows = order.history.map((step) => ({
      version: step.version,
      from: step.fromStatus,
      to: step.toStatus,
      actorId: step.actorId,
      actorRole: step.actorRole,
      reason: step.reason,
      at: step.createdAt.toISOString(),
    }));
    return toPage('history', rows, query.limit, (row) => String(row.version));
  }
}

function ownerFilter(actor: Actor): string | null {
  return isStaff(actor) ? null : actor.id;
}
