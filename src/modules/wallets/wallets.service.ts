import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { decodeCursor, NUMBER_CURSOR, toPage, UUID_CURSOR } from '../../common/pagination.js';
import type { Actor } from '../../http/actor.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type {
  LedgerEntryPage,
  LedgerEntryResponse,
  LedgerTotalsResponse,
  WalletPage,
  WalletResponse,
  WalletsQuery,
} from './dto/wallets.dto.js';
import { type PostedRow, type Posting, postQuery } from './ledger.queries.js';
import { postingRefusal } from './ledger.refusals.js';
import { visibleTo } from './wallet-access.js';
import {
  type BalanceRow,
  checkpointWallet,
  entryPage,
  type EntryRow,
  type KindTotalRow,
  kindTotals,
  ledgerImbalance,
  mainWallet,
  ownBalances,
  walletBalance,
  walletPage,
  type WalletRow,
  walletsOf,
} from './wallets.queries.js';

/** A tail of so many entries is summed in 5 ms; past it a checkpoint shortens the next reading. */
const CHECKPOINT_AFTER_ENTRIES = 10_000;

/** Every transaction is looked at a few times before it is too old. */
const RECENT_MINUTES = 5;

@Injectable()
export class WalletsService {
  constructor(
    private readonly database: Database,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * Posts a balanced transaction and moves the balances, inside the caller's transaction. Locks the users' wallets concerned
   * in the order of their ids until it ends; the store's own are never locked. Entries of 0 are left out.
   * @returns the ledger transaction's id; null when there was nothing to post
   * @throws INSUFFICIENT_FUNDS, REMITTANCE_EXCEEDS_CASH; the caller's transaction is then aborted
   */
  async post(tx: Transaction, posting: Posting): Promise<string | null> {
    this.cacheInvalidation.invalidateAfter(tx, 'wallets');
    const entries = posting.entries.filter(({ amount }) => amount !== 0);
    if (entries.length === 0) return null;
    const sum = entries.reduce((total, { amount }) => total + amount, 0);
    if (sum !== 0) throw new Error(`A ${posting.type} does not balance`);
    try {
      const [row] = await tx.$queryRaw<PostedRow[]>(postQuery({ ...posting, entries }));
      return row?.id ?? null;
    } catch (error) {
      throw postingRefusal(error) ?? error;
    }
  }

  /** @throws NOT_FOUND when the actor's roles come with no wallet */
  async mine(actor: Actor): Promise<WalletResponse> {
    const [row] = await this.database.query<BalanceRow>(mainWallet(actor.id, ['CUSTOMER', 'AGENT_EARNINGS']));
    if (!row) throw failure('NOT_FOUND');
    return toWallet(row);
  }

  /** @throws NOT_FOUND, for a wallet that the actor may not see too */
  async find(actor: Actor, id: string): Promise<WalletResponse> {
    const rows = await this.database.query<BalanceRow>(walletBalance(id));
    const row = visibleTo(actor, id, rows);
    await this.checkpoint(rows);
    return toWallet(row);
  }

  async list({ kind, cursor, limit }: WalletsQuery): Promise<WalletPage> {
    const before = decodeCursor('wallets', cursor, UUID_CURSOR);
    const rows = await this.database.query<BalanceRow>(walletPage(kind ?? null, before, limit + 1));
    await this.checkpoint(rows);
    const page = toPage('wallets', rows, limit, ({ id }) => id);
    return { ...page, items: page.items.map((row) => ({ ...toWallet(row), ownerId: row.owner_id })) };
  }

  /** @throws NOT_FOUND, as for the wallet itself */
  async entries(actor: Actor, id: string, { cursor, limit }: PageQuery): Promise<LedgerEntryPage> {
    const before = decodeCursor('entries', cursor, NUMBER_CURSOR);
    visibleTo(actor, id, await this.database.query<WalletRow>(walletsOf([id], null)));
    const rows = await this.database.query<EntryRow>(entryPage(id, before, limit + 1));
    const page = toPage('entries', rows, limit, (row) => String(row.id));
    return { ...page, items: page.items.map(toEntry) };
  }

  async totals(): Promise<LedgerTotalsResponse> {
    const rows = await this.database.query<KindTotalRow>(kindTotals());
    const total = new Map<string, bigint>();
    for (const { currency, balance } of rows) total.set(currency, (total.get(currency) ?? 0n) + BigInt(balance));
    return {
      items: rows.map(({ kind, wallets, currency, balance }) => ({
        kind,
        wallets,
        balance: money(BigInt(balance), currency),
      })),
      total: [...total].map(([currency, amount]) => money(amount, currency)),
    };
  }

  /**
   * Minor units by which the current store's books, and the transactions of the last five minutes, don't add up to zero.
   * Asks for the checkpoints that keep this reading short, however seldom anybody else reads.
   */
  async imbalance(): Promise<number> {
    const [row] = await this.database.query<{ imbalance: number }>(ledgerImbalance(RECENT_MINUTES));
    await this.checkpoint(await this.database.query<BalanceRow>(ownBalances()));
    return Number(row?.imbalance ?? 0);
  }

  /** Only saves time later: what was read stands, whether this works or not. */
  private async checkpoint(rows: readonly BalanceRow[]): Promise<void> {
    for (const { id, summed } of rows) {
      if (summed <= CHECKPOINT_AFTER_ENTRIES) continue;
      try {
        await this.database.query(checkpointWallet(id));
      } catch (error) {
        this.logger.warn({ event: 'ledger_checkpoint_failed', walletId: id, error: String(error) });
      }
    }
  }
}

function toWallet({ id, kind, balance, currency }: BalanceRow): WalletResponse {
  return { id, kind, balance: money(balance, currency) };
}

function toEntry(row: EntryRow): LedgerEntryResponse {
  return {
    id: String(row.id),
    type: row.type,
    reference: row.reference,
    amount: money(row.amount, row.currency),
    createdAt: row.created_at.toISOString(),
    memo: row.memo,
  };
}
