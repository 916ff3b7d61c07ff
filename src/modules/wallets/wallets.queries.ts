import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { WalletKind } from './wallet-kinds.js';

/** What never changes about a wallet. */
export interface WalletRow {
  id: string;
  kind: WalletKind;
  owner_id: string;
  currency: string;
}

export interface BalanceRow extends WalletRow {
  balance: number;
  /** Entries that were summed for it, see wallet_balance(). */
  summed: number;
}

export interface EntryRow {
  id: number;
  type: string;
  reference: string;
  amount: number;
  currency: string;
  created_at: Date;
  memo: string | null;
}

export interface KindTotalRow {
  kind: WalletKind;
  currency: string;
  wallets: number;
  /** Text, since a sum may pass 2^63. */
  balance: string;
}

export function walletBalance(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.kind, w.owner_id, w.currency, b.balance, b.summed
      FROM wallets w
     CROSS JOIN LATERAL wallet_balance(w) b
     WHERE w.store_id = ${currentStore()}::uuid
       AND w.id = ${id}::uuid`;
}

/** A user's wallet of the first of these kinds that he has. */
export function mainWallet(ownerId: string, kinds: readonly WalletKind[]): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.kind, w.owner_id, w.currency, w.balance, 0 AS summed
      FROM wallets w
     WHERE w.store_id = ${currentStore()}::uuid
       AND w.kind = ANY (${kinds}::text[])
       AND w.owner_id = ${ownerId}::uuid
     ORDER BY array_position(${kinds}::text[], w.kind)
     LIMIT 1`;
}

/** Newest first. */
export function walletPage(kind: WalletKind | null, beforeId: string | null, rows: number): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.kind, w.owner_id, w.currency, b.balance, b.summed
      FROM (
        SELECT *
          FROM wallets
         WHERE store_id = ${currentStore()}::uuid
           AND (${kind}::text IS NULL OR kind = ${kind}::text)
           AND id < coalesce(${beforeId}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         ORDER BY id DESC
         LIMIT ${rows}::int
      ) AS page
      JOIN wallets w ON w.store_id = page.store_id AND w.id = page.id
     CROSS JOIN LATERAL wallet_balance(w) b
     ORDER BY w.id DESC`;
}

/** Newest first. The wallet is known to be of this store. */
export function entryPage(walletId: string, beforeId: string | null, rows: number): Prisma.Sql {
  return Prisma.sql`
    SELECT e.id, t.type, t.reference, e.amount, e.currency, e.created_at, t.memo
      FROM ledger_entries e
      JOIN ledger_transactions t ON t.store_id = e.store_id AND t.id = e.transaction_id
     WHERE e.store_id = ${currentStore()}::uuid
       AND e.wallet_id = ${walletId}::uuid
       AND e.id < coalesce(${beforeId}::bigint, 9223372036854775807)
     ORDER BY e.id DESC
     LIMIT ${rows}::int`;
}

/** Kept balances against sums of entries, in one snapshot: the total of a currency is zero only when both agree. */
export function kindTotals(): Prisma.Sql {
  return Prisma.sql`
    SELECT w.kind, w.currency, count(*)::int AS wallets, sum(w.balance)::text AS balance
      FROM wallets w
     WHERE w.store_id = ${currentStore()}::uuid AND w.balance_kept
     GROUP BY w.kind, w.currency
     UNION ALL
    SELECT w.kind, w.currency, count(*)::int, sum(b.balance)::text
      FROM wallets w
     CROSS JOIN LATERAL wallet_balance(w) b
     WHERE w.store_id = ${currentStore()}::uuid AND NOT w.balance_kept
     GROUP BY w.kind, w.currency
     ORDER BY currency, kind`;
}

/**
 * Minor units by which the wallets of the store, and the ledger transactions of the last minutes, each by itself, don't add up
 * to zero. Reads balances, the entries after the latest checkpoints and those of these minutes: no more with more history.
 */
export function ledgerImbalance(minutes: number): Prisma.Sql {
  return Prisma.sql`
    SELECT coalesce(sum(abs(amount)), 0)::bigint AS imbalance
      FROM (
        SELECT sum(kinds.balance::numeric) AS amount FROM (${kindTotals()}) AS kinds GROUP BY kinds.currency
         UNION ALL
        SELECT sum(e.amount)
          FROM ledger_entries e
         WHERE e.store_id = ${currentStore()}::uuid
           AND e.created_at > now() - make_interval(mins => ${minutes}::int)
         GROUP BY e.transaction_id, e.currency
      ) AS parts`;
}

/** The store's own wallets, whose balances are derived. */
export function ownBalances(): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.kind, w.owner_id, w.currency, b.balance, b.summed
      FROM wallets w
     CROSS JOIN LATERAL wallet_balance(w) b
     WHERE w.store_id = ${currentStore()}::uuid
       AND NOT w.balance_kept`;
}

/** Marks a checkpoint, or fills one in that was marked before. */
export function checkpointWallet(id: string): Prisma.Sql {
  return Prisma.sql`SELECT checkpoint_wallet(${currentStore()}::uuid, ${id}::uuid)`;
}

/** Wallets by id, and the store's own of one kind. */
export function walletsOf(ids: readonly string[], ownKind: WalletKind | null): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.kind, w.owner_id, w.currency
      FROM wallets w
     WHERE w.store_id = ${currentStore()}::uuid
       AND w.id = ANY (${ids}::uuid[])
     UNION
    SELECT w.id, w.kind, w.owner_id, w.currency
      FROM wallets w
     WHERE w.store_id = ${currentStore()}::uuid
       AND w.kind = ${ownKind}::text
       AND w.owner_id = ${currentStore()}::uuid`;
}
