import { Injectable, type OnModuleInit } from '@nestjs/common';
import { money } from '../../common/money.js';
import { decodeCursor, toPage, UUID_CURSOR } from '../../common/pagination.js';
import type { Actor } from '../../http/actor.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { Database } from '../../platform/prisma/database.js';
import { ApprovalsService } from '../approvals/approvals.service.js';
import type { WithdrawalPage } from './dto/withdrawals.dto.js';
import { visibleTo } from './wallet-access.js';
import { type WalletRow, walletsOf } from './wallets.queries.js';
import { finishWithdrawal, withdrawalPage, type WithdrawalRow } from './withdrawals.queries.js';

/** Withdrawals that wait for approval, and what became of them. They begin in MoveMoney.withdraw(). */
@Injectable()
export class WithdrawalsService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly approvals: ApprovalsService,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  onModuleInit(): void {
    this.approvals.on('WITHDRAWAL', {
      approved: async (tx, { subjectId, decidedBy }) => {
        this.cacheInvalidation.invalidateAfter(tx, 'wallets');
        await tx.$executeRaw(finishWithdrawal(subjectId, 'PAID', decidedBy));
      },
      rejected: async (tx, { subjectId, decidedBy }) => {
        this.cacheInvalidation.invalidateAfter(tx, 'wallets');
        await tx.$executeRaw(finishWithdrawal(subjectId, 'REJECTED', decidedBy));
      },
    });
  }

  /** Newest first. @throws NOT_FOUND, as for the wallet itself; INVALID_CURSOR */
  async page(actor: Actor, walletId: string, { cursor, limit }: PageQuery): Promise<WithdrawalPage> {
    const before = decodeCursor('withdrawals', cursor, UUID_CURSOR);
    visibleTo(
      actor,
      walletId,
      await this.database.query<WalletRow & Record<string, unknown>>(walletsOf([walletId], null)),
    );
    const rows = await this.database.query<WithdrawalRow & Record<string, unknown>>(
      withdrawalPage(walletId, before, limit + 1),
    );
    const items = rows.map((row) => ({
      id: row.id,
      status: row.status,
      amount: money(row.amount, row.currency),
      approvalId: row.approval_id,
      createdAt: row.created_at.toISOString(),
      finishedAt: row.finished_at?.toISOString() ?? null,
    }));
    return toPage('withdrawals', items, limit, ({ id }) => id);
  }
}
