/** What the story reads of Larder's answers; all of them are in docs/openapi.json. */

export interface Money {
  /** Minor units. */
  amount: number;
  currency: string;
}

export interface Page<Item> {
  items: Item[];
}

export interface ErrorBody {
  statusCode: number;
  code: string;
  message: string;
  details?: Record<string, unknown>[];
}

export interface Session {
  accessToken: string;
  user: { id: string; name: string; roles: string[] };
  /** The own cart, when a guest's went into it. */
  cartId?: string;
}

export interface Variant {
  id: string;
  name: string;
  price: Money;
  available: number;
}

export interface Product {
  slug: string;
  name: string;
  category: { slug: string; name: string } | null;
  variants: Variant[];
}

export interface Order {
  id: string;
  number: string;
  status: string;
  version: number;
  lines: { variantId: string; name: string; quantity: number; unitPrice: Money; total: Money }[];
  deliveryFee: Money;
  total: Money;
  payment: { id: string; status: string; captured: Money; refunded: Money };
  deliveryAddress: { line1: string; city: string; zip: string };
  deliveryCode: string | null;
}

export interface Cart {
  id: string;
  /** A guest's, told once. */
  token?: string;
  status: string;
  lines: CartLine[];
}

export interface CartLine {
  variantId: string;
  productId: string;
  name: string;
  quantity: number;
  unitPrice: Money;
}

export interface Quote {
  lines: { name: string; quantity: number; total: Money }[];
  deliveryFee: Money;
  total: Money;
  problems: { code: string }[];
  /** Goes with the order. */
  quote: string;
}

export interface HistoryStep {
  version: number;
  from: string | null;
  to: string;
  actorRole: string;
  reason: string | null;
  at: string;
}

export interface Assignment {
  id: string;
  orderId: string;
  status: string;
  agentId: string | null;
  zip: string;
  deliveryAddress: object | null;
  cashDue: Money;
  cashCollected: Money | null;
}

export interface Agent {
  id: string;
  name: string;
  status: string;
  cashInHand: Money;
}

export interface Remittance {
  id: string;
  amount: Money;
  cashInHand: Money;
}

export interface Wallet {
  id: string;
  kind: string;
  ownerId?: string;
  balance: Money;
}

export interface LedgerEntry {
  type: string;
  reference: string;
  amount: Money;
}

export interface LedgerTotals {
  items: { kind: string; wallets: number; balance: Money }[];
  total: Money[];
}
