import { Injectable } from '@nestjs/common';
import { type ErrorCode, isErrorCode } from '../../common/exceptions/catalogue.js';
import { failure, type FailureDetails } from '../../common/exceptions/failure.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import {
  type Answer,
  type Begun,
  type IdempotentRequest,
  replay,
} from '../../platform/idempotency/idempotency.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { httpMetrics } from '../../platform/metrics/http.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { violates } from '../../platform/prisma/database-error.js';
import type { AmountDto, TransferDto } from './dto/wallets.dto.js';
import { moveMoney, type Movement } from './ledger.queries.js';
import { spendableBy, visibleTo } from './wallet-access.js';
import type { WalletKind } from './wallet-kinds.js';
import { type WalletRow, walletsOf } from './wallets.queries.js';

/**
 * Money moved because somebody asks for it. Two round trips: one reads what never changes about the wallets and decides who
 * may do what; the other moves the money and stores the answer for the key, in one statement that locks the wallets in the
 * order of their ids (5.3).
 */
@Injectable()
export class MoveMoney {
  constructor(
    private readonly database: Database,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** Money handed in at the counter. @throws NOT_FOUND, WALLET_KIND_NOT_ALLOWED, CURRENCY_MISMATCH */
  @InvalidateCache('wallets')
  async topUp(actor: Actor, walletId: string, { amount }: AmountDto, request: IdempotentRequest): Promise<Answer> {
    const wallets = await this.database.query<WalletRow>(walletsOf([walletId], 'CASH_VAULT'));
    const to = visibleTo(actor, walletId, wallets);
    const from = ownWallet('CASH_VAULT', to, wallets);
    const refusal = objection([to], ['CUSTOMER'], amount.currency);
    return this.move({ type: 'TOP_UP', actorId: actor.id, from: from.id, to: to.id, ...amount, refusal }, request);
  }

  /**
   * Money paid out to the wallet's owner.
   * @throws NOT_FOUND, FORBIDDEN, WALLET_KIND_NOT_ALLOWED, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS
   */
  @InvalidateCache('wallets', 'approvals')
  async withdraw(actor: Actor, walletId: string, { amount }: AmountDto, request: IdempotentRequest): Promise<Answer> {
    const wallets = await this.database.query<WalletRow>(walletsOf([walletId], 'PSP_CLEARING'));
    const from = spendableBy(actor, walletId, wallets);
    const to = ownWallet('PSP_CLEARING', from, wallets);
    const refusal = objection([from], ['CUSTOMER', 'AGENT_EARNINGS'], amount.currency);
    return this.move({ type: 'WITHDRAWAL', actorId: actor.id, from: from.id, to: to.id, ...amount, refusal }, request);
  }

  /**
   * From one customer to another.
   * @throws NOT_FOUND, FORBIDDEN, SAME_WALLET, WALLET_KIND_NOT_ALLOWED, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS
   */
  @InvalidateCache('wallets')
  async transfer(actor: Actor, { from, to, amount }: TransferDto, request: IdempotentRequest): Promise<Answer> {
    const wallets = await this.database.query<WalletRow>(walletsOf([from, to], null));
    const payer = spendableBy(actor, from, wallets);
    const receiver = wallets.find(({ id }) => id === to);
    // Other kinds than customers' are nothing that a customer knows about.
    if (!receiver || (receiver.kind !== 'CUSTOMER' && receiver.owner_id !== actor.id && !isStaff(actor))) {
      throw failure('NOT_FOUND');
    }
    const refusal = from === to ? 'SAME_WALLET' : objection([payer, receiver], ['CUSTOMER'], amount.currency);
    return this.move({ type: 'TRANSFER', actorId: actor.id, from, to, ...amount, refusal }, request);
  }

  private async move(movement: Movement, request: IdempotentRequest): Promise<Answer> {
    const row = await this.record(movement, request);
    if (row.outcome === 'MOVED' && row.response) {
      httpMetrics.idempotency.inc({ result: 'new' });
      this.logger.info({ event: 'wallet_movement_completed', type: movement.type, walletId: walletOf(movement) });
      return { status: 201, body: row.response, replayed: false };
    }
    if (!isErrorCode(row.outcome)) return replay(row);
    httpMetrics.idempotency.inc({ result: 'new' });
    throw failure(row.outcome, (row.response as { details?: FailureDetails } | null)?.details);
  }

  private async record(movement: Movement, request: IdempotentRequest): Promise<Begun> {
    try {
      const [row] = await this.database.query<Begun & Record<string, unknown>>(moveMoney(movement, request));
      if (!row) throw new Error('move_money answered nothing');
      return row;
    } catch (error) {
      // The key's row is gone after its time, the ledger's reference stays: the money was moved then and isn't again.
      if (violates(error, 'ledger_transactions_reference_key')) throw failure('IDEMPOTENCY_KEY_REUSED');
      throw error;
    }
  }
}

function walletOf({ type, from, to }: Movement): string {
  return type === 'TOP_UP' ? to : from;
}

/** The store's own wallet in the currency of the other one; every store is opened with one of each kind. */
function ownWallet(kind: WalletKind, { currency }: WalletRow, wallets: readonly WalletRow[]): WalletRow {
  const wallet = wallets.find((candidate) => candidate.kind === kind && candidate.currency === currency);
  if (!wallet) throw new Error(`The store has no ${kind} wallet in ${currency}`);
  return wallet;
}

/** Kind and currency never change, so that what is found here still holds when the money moves. */
function objection(wallets: readonly WalletRow[], kinds: readonly WalletKind[], currency: string): ErrorCode | null {
  if (wallets.some(({ kind }) => !kinds.includes(kind))) return 'WALLET_KIND_NOT_ALLOWED';
  if (wallets.some((wallet) => wallet.currency !== currency)) return 'CURRENCY_MISMATCH';
  return null;
}
