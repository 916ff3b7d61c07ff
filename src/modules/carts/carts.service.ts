import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { hashCartToken, type Visitor } from '../../http/guest.js';
import { Database } from '../../platform/prisma/database.js';
import { answerOf } from './cart-outcome.js';
import {
  cartDocument,
  type CartOutcomeRow,
  type CartRow,
  changeCartLine,
  openCustomerCart,
  type OpenedCartRow,
  openGuestCart,
} from './carts.queries.js';
import type { OpenedCartResponse } from './dto/cart.dto.js';

/** 256 bits: nobody guesses it, so whoever has it owns the cart. */
const TOKEN_BYTES = 32;

/** What somebody is about to order. One statement each; prices and availability are of that moment. */
@Injectable()
export class CartsService {
  constructor(private readonly database: Database) {}

  /** A guest's new cart with its token, or a customer's open one. */
  async open({ actor }: Visitor): Promise<{ cart: OpenedCartResponse; opened: boolean }> {
    const token = actor ? undefined : randomBytes(TOKEN_BYTES).toString('base64url');
    const opening = token ? openGuestCart(newId(), hashCartToken(token)) : openCustomerCart(actor?.id ?? '', newId());
    const [row] = await this.database.query<OpenedCartRow>(opening);
    if (!row) throw new Error('A cart was not opened');
    return { cart: { ...(JSON.parse(row.document) as OpenedCartResponse), token }, opened: row.opened };
  }

  /** JSON text of one's own cart. @throws NOT_FOUND */
  async document(cartId: string, visitor: Visitor): Promise<string> {
    const [row] = await this.database.query<CartRow>(cartDocument(cartId, visitor));
    if (!row) throw failure('NOT_FOUND');
    return row.document;
  }

  /**
   * Sets how much of a variant is in one's cart; 0 takes it out. Locks the cart. JSON text of the cart as it is then.
   * @throws NOT_FOUND for cart or variant, CART_CLOSED, CART_FULL, PRODUCT_UNAVAILABLE
   */
  async setLine(cartId: string, visitor: Visitor, variantId: string, quantity: number): Promise<string> {
    const [row] = await this.database.query<CartOutcomeRow>(changeCartLine(cartId, visitor, variantId, quantity));
    return answerOf(row, 'CHANGED');
  }
}
