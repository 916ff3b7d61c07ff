import { hash } from 'node:crypto';
import type { ErrorCode } from '../../common/exceptions/catalogue.js';
import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import type { WalletKind } from './wallet-kinds.js';

export interface PostingEntry {
  kind: WalletKind;
  /** A user's id; for the store's own wallets the store's. */
  ownerId: string;
  /** Minor units; > 0 raises what the store owes the wallet's owner. */
  amount: number;
}

/** A business fact for the ledger. */
export interface Posting {
  type: string;
  /** What happened, unique per store and type for ever: posting it twice is refused. */
  reference: string;
  actorId?: string;
  memo?: string;
  currency: string;
  entries: PostingEntry[];
}

export interface PostedRow {
  id: string;
}

/** Posts one transaction to wallets named by what they are for: one statement, which locks them in the order of their ids. */
export function postQuery({ type, reference, actorId, memo, currency, entries }: Posting): Prisma.Sql {
  return Prisma.sql`
    SELECT ledger_post(
             ${currentStore()}::uuid, ${type}::text, ${reference}::text, ${actorId ?? null}::uuid, ${memo ?? null}::text,
             ${currency}::text, array_agg(w.id), array_agg(e.amount)
           ) AS id
      FROM unnest(
             ${entries.map(({ kind }) => kind)}::text[],
             ${entries.map(({ ownerId }) => ownerId)}::uuid[],
             ${entries.map(({ amount }) => String(amount))}::bigint[]
           ) AS e (kind, owner_id, amount)
      LEFT JOIN wallets w
        ON w.store_id = ${currentStore()}::uuid
       AND w.kind = e.kind
       AND w.owner_id = e.owner_id
       AND w.currency = ${currency}::text`;
}

/** Posts one transaction between two wallets that are known by their ids. */
export function postBetween(
  from: string,
  to: string,
  { type, reference, actorId, memo, currency, amount }: Omit<Posting, 'entries'> & { amount: number },
): Prisma.Sql {
  return Prisma.sql`
    SELECT ledger_post(
             ${currentStore()}::uuid, ${type}::text, ${reference}::text, ${actorId ?? null}::uuid, ${memo ?? null}::text,
             ${currency}::text, ARRAY[${from}::uuid, ${to}::uuid], ARRAY[-${amount}::bigint, ${amount}::bigint]
           ) AS id`;
}

export interface Movement {
  type: 'TOP_UP' | 'WITHDRAWAL' | 'TRANSFER';
  actorId: string;
  from: string;
  to: string;
  amount: number;
  currency: string;
  /** What the caller found to object; stored as the answer to the key. */
  refusal: ErrorCode | null;
}

/** See move_money() and, for a withdrawal, which may have to wait for approval, withdraw_money(). */
export function moveMoney(movement: Movement, request: IdempotentRequest): Prisma.Sql {
  const { type, actorId, from, to, amount, currency, refusal } = movement;
  const { route, key, fingerprint } = request;
  // Opaque: whoever sees the entry learns neither who acted nor his key.
  const reference = hash('sha256', `${actorId}:${key}`, 'hex');
  const asked = Prisma.sql`
    ${currentStore()}::uuid, ${actorId}::uuid, ${route}::text, ${key}::text, ${fingerprint}::text, ${refusal}::text`;
  const moved = Prisma.sql`
    ${reference}::text, ${from}::uuid, ${to}::uuid, ${amount}::bigint, ${currency}::text`;
  return type === 'WITHDRAWAL'
    ? Prisma.sql`SELECT outcome, status_code, response FROM withdraw_money(${asked}, ${moved})`
    : Prisma.sql`SELECT outcome, status_code, response FROM move_money(${asked}, ${type}::text, ${moved})`;
}
