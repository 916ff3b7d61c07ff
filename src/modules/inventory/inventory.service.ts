import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { decodeCursor, NUMBER_CURSOR, toPage, UUID_CURSOR } from '../../common/pagination.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type {
  AdjustmentDto,
  StockLevelResponse,
  StockMovementPage,
  StockMovementResponse,
  StockPage,
  StockQuery,
} from './dto/inventory.dto.js';
import {
  type AdjustedRow,
  adjustStock,
  type LevelRow,
  type MovementRow,
  movementsPage,
  type StockItemRow,
  stockPage,
} from './inventory.queries.js';
import { releaseOf, returnOf, shipmentOf } from './order-stock.queries.js';

@Injectable()
export class InventoryService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: IdempotencyService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** @throws INVALID_CURSOR */
  async list({ limit, cursor, sku }: StockQuery): Promise<StockPage> {
    const after = decodeCursor('stock', cursor, UUID_CURSOR);
    const rows = await this.database.query<StockItemRow>(stockPage(limit, after, sku));
    const items = rows.map((row) => ({ ...levelOf(row), sku: row.sku, productId: row.product_id }));
    return toPage('stock', items, limit, (item) => item.variantId);
  }

  /** @throws NOT_FOUND */
  async level(variantId: string): Promise<StockLevelResponse> {
    const level = await this.database.prisma.stockLevel.findFirst({ where: { variantId } });
    if (!level) throw failure('NOT_FOUND');
    return levelOf({ variant_id: level.variantId, on_hand: level.onHand, reserved: level.reserved });
  }

  /** Newest first. @throws NOT_FOUND, INVALID_CURSOR */
  async movements(variantId: string, { limit, cursor }: PageQuery): Promise<StockMovementPage> {
    const after = decodeCursor('movements', cursor, NUMBER_CURSOR);
    const rows = await this.database.query<MovementRow>(movementsPage(variantId, limit, after));
    if (rows.length === 0) throw failure('NOT_FOUND');
    return toPage('movements', rows.flatMap(movementsOf), limit, (movement) => movement.id);
  }

  /**
   * Stock that comes or goes otherwise than by orders, with its movement; with a key, once however often it is sent.
   * @throws NOT_FOUND, STOCK_BELOW_RESERVED
   */
  @InvalidateCache('inventory')
  async adjust(actorId: string, variantId: string, body: AdjustmentDto, request?: IdempotentRequest): Promise<Answer> {
    const { delta, reason, note = null } = body;
    const statement = adjustStock({ variantId, delta, reason, note, actorId });
    if (request) {
      return this.idempotency.run(actorId, request, async (tx) =>
        adjusted(await tx.$queryRaw<AdjustedRow[]>(statement), delta),
      );
    }
    return { status: 201, body: adjusted(await this.database.query<AdjustedRow>(statement), delta), replayed: false };
  }

  /** An order is cancelled or expires: what it had reserved is free. One statement; locks stock rows by variant id. */
  async releaseStock(tx: Transaction, orderId: string): Promise<void> {
    await tx.$executeRaw(releaseOf(orderId));
  }

  /** An order goes out: what it had reserved leaves the shelf, with a SALE movement for each variant. Locks as above. */
  async shipStock(tx: Transaction, orderId: string): Promise<void> {
    await tx.$executeRaw(shipmentOf(orderId));
  }

  /** What refunds left of a shipped order's goods is back on the shelf, with a RETURN movement for each variant. Locks as above. */
  async restock(tx: Transaction, orderId: string, actorId: string | null): Promise<void> {
    await tx.$executeRaw(returnOf(orderId, actorId));
  }
}

/** The new level, or why there is none. */
function adjusted([row]: AdjustedRow[], delta: number): StockLevelResponse {
  if (!row) throw failure('NOT_FOUND');
  const level = levelOf(row);
  if (!row.adjusted) throw failure('STOCK_BELOW_RESERVED', [{ ...level, delta }]);
  return level;
}

function levelOf({ variant_id, on_hand, reserved }: LevelRow): StockLevelResponse {
  return { variantId: variant_id, onHand: on_hand, reserved, available: on_hand - reserved };
}

function movementsOf(row: MovementRow): StockMovementResponse[] {
  if (row.id === null) return [];
  return [
    {
      id: row.id,
      delta: row.delta,
      reason: row.reason as StockMovementResponse['reason'],
      orderId: row.order_id,
      actorId: row.actor_id,
      note: row.note,
      createdAt: row.created_at.toISOString(),
    },
  ];
}
