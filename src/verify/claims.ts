import { APPROVALS } from './approvals.claims.js';
import { BOOKINGS } from './bookings.claims.js';
import { CARDS } from './cards.claims.js';
import { CASH } from './cash.claims.js';
import type { ClaimGroup } from './claim.js';
import { DASHBOARDS } from './dashboard.claims.js';
import { LEDGER } from './ledger.claims.js';
import { ORDERS } from './orders.claims.js';
import { PAYMENTS } from './payments.claims.js';
import { PLATFORM } from './platform.claims.js';
import { REFUNDS } from './refunds.claims.js';
import { SHIPPING } from './shipping.claims.js';
import { STOCK } from './stock.claims.js';
import { WALLETS } from './wallets.claims.js';

/** All that Larder says of its database, in the order in which it is told. */
export const CLAIMS: readonly ClaimGroup[] = [
  LEDGER,
  STOCK,
  ORDERS,
  PAYMENTS,
  CARDS,
  REFUNDS,
  BOOKINGS,
  SHIPPING,
  CASH,
  APPROVALS,
  WALLETS,
  DASHBOARDS,
  PLATFORM,
];
