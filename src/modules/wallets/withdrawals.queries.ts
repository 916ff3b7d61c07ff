import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** See finish_withdrawal(). */
export function finishWithdrawal(id: string, status: 'PAID' | 'REJECTED', actorId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT finish_withdrawal(${currentStore()}::uuid, ${id}::uuid, ${status}, ${actorId}::uuid)`;
}

export interface WithdrawalRow {
  id: string;
  amount: number;
  currency: string;
  status: 'REQUESTED' | 'PAID' | 'REJECTED';
  approval_id: string;
  created_at: Date;
  finished_at: Date | null;
}

/** Withdrawals from a wallet that needed approval, newest first. The wallet is known to be of this store. */
export function withdrawalPage(walletId: string, beforeId: string | null, rows: number): Prisma.Sql {
  return Prisma.sql`
    SELECT w.id, w.amount, w.currency, w.status, a.id AS approval_id, w.created_at, w.finished_at
      FROM withdrawals w
      JOIN approvals a ON a.store_id = w.store_id AND a.kind = 'WITHDRAWAL' AND a.subject_id = w.id
     WHERE w.store_id = ${currentStore()}::uuid
       AND w.wallet_id = ${walletId}::uuid
       AND w.id < coalesce(${beforeId}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
     ORDER BY w.id DESC
     LIMIT ${rows}::int`;
}
