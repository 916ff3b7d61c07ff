import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../platform/prisma/database.js';
import { releaseOf, returnOf, shipmentOf } from './order-stock.queries.js';

@Injectable()
export class InventoryService {
  /** An order is cancelled or expires: what it had reserved is free. One statement; locks stock rows by variant id. */
  async releaseStock(tx: Transaction, orderId: string): Promise<void> {
    await tx.$executeRaw(releaseOf(orderId));
  }

  /** An order goes out: what it had reserved leaves the shelf, with a SALE movement for each variant. Locks as above. */
  async shipStock(tx: Transaction, orderId: string): Promise<void> {
    await tx.$executeRaw(shipmentOf(orderId));
  }

  /** A shipped order's goods are back on the shelf, with a RETURN movement for each variant. Locks as above. */
  async restock(tx: Transaction, orderId: string, actorId: string): Promise<void> {
    await tx.$executeRaw(returnOf(orderId, actorId));
  }
}
