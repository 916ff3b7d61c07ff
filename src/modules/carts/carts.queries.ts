import { currentContext, currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { Visitor } from '../../http/guest.js';

export interface CartRow {
  document: string;
}

export interface OpenedCartRow extends CartRow {
  opened: boolean;
}

/** What a use case of carts answers: see the functions of migration 220. */
export interface CartOutcomeRow {
  outcome: string;
  response: string | null;
}

/** A guest's new cart. Only the hash of his token is kept. */
export function openGuestCart(cartId: string, tokenHash: Buffer): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO carts AS c (store_id, id, token_hash)
    VALUES (${currentStore()}::uuid, ${cartId}::uuid, ${tokenHash}::bytea)
    RETURNING true AS opened, cart_document(c)::text AS document`;
}

/** The customer's open cart, or a new one with this id. */
export function openCustomerCart(customerId: string, cartId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT o.opened, cart_document(o.cart)::text AS document
      FROM open_cart(${currentStore()}::uuid, ${customerId}::uuid, ${cartId}::uuid) o`;
}

/** A cart of the visitor's own. */
export function cartDocument(cartId: string, { actor, cartTokenHash }: Visitor): Prisma.Sql {
  return Prisma.sql`
    SELECT cart_document(c)::text AS document
      FROM carts c
     WHERE c.store_id = ${currentStore()}::uuid
       AND c.id = ${cartId}::uuid
       AND (c.customer_id = ${actor?.id ?? null}::uuid OR c.token_hash = ${cartTokenHash}::bytea)`;
}

export function changeCartLine(
  cartId: string,
  { actor, cartTokenHash }: Visitor,
  variantId: string,
  quantity: number,
): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome, response::text AS response
      FROM change_cart_line(
             ${currentStore()}::uuid, ${cartId}::uuid, ${actor?.id ?? null}::uuid, ${cartTokenHash}::bytea,
             ${variantId}::uuid, ${quantity}::int
           )`;
}

/** @param newCartId of the customer's cart where he has none open */
export function mergeCart(customerId: string, tokenHash: Buffer, newCartId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome, response::text AS response
      FROM merge_cart(${currentStore()}::uuid, ${customerId}::uuid, ${tokenHash}::bytea, ${newCartId}::uuid)`;
}

export interface QuoteWanted {
  cartId: string;
  visitor: Visitor;
  guestEmail: string | null;
  paymentMethod: string | null;
  /** Who charges cards; null: nobody. */
  provider: string | null;
  zip: string | null;
  slotId: string | null;
  couponCode: string | null;
}

export function quoteCart({ cartId, visitor: { actor, cartTokenHash }, ...wanted }: QuoteWanted): Prisma.Sql {
  return Prisma.sql`
    SELECT outcome, response::text AS response
      FROM quote_cart(
             ${currentStore()}::uuid, ${cartId}::uuid, ${actor?.id ?? null}::uuid, ${wanted.guestEmail},
             ${cartTokenHash}::bytea, ${wanted.paymentMethod}, ${wanted.provider}, ${wanted.zip}, ${wanted.slotId}::uuid,
             ${wanted.couponCode}, ${currentContext()?.clientAddress ?? null}
           )`;
}

/** Removes guests' carts that nobody has touched for so long, some at a time. */
export function removeIdleCarts(days: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT remove_idle_carts(${currentStore()}::uuid, now() - make_interval(days => ${days}::int), ${limit}::int) AS removed`;
}
