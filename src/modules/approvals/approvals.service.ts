import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type { ApprovalKind, ApprovalStatus, Decision } from './approvals.kinds.js';
import { type ApprovalRequest, requestApproval } from './approvals.queries.js';
import type { ApprovalDetailResponse, ApprovalResponse, ApprovalsQuery } from './dto/approval.dto.js';

/** A request that has just been decided. */
export interface DecidedApproval extends ApprovalRequest {
  id: string;
  /** Who gave the decision that settled it. */
  decidedBy: string;
}

/**
 * What a decision causes, in its transaction, once. May refuse by throwing: then nothing is decided and the request waits on.
 * The approval's row is locked already, before everything else.
 */
export interface ApprovalEffects {
  approved(tx: Transaction, approval: DecidedApproval): Promise<void>;
  rejected(tx: Transaction, approval: DecidedApproval): Promise<void>;
}

@Injectable()
export class ApprovalsService {
  private readonly effects = new Map<ApprovalKind, ApprovalEffects>();

  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** A module tells in onModuleInit what becomes of its requests. */
  on(kind: ApprovalKind, effects: ApprovalEffects): void {
    if (this.effects.has(kind)) throw new Error(`Two modules wait for decisions on ${kind}`);
    this.effects.set(kind, effects);
  }

  effectsOf(kind: ApprovalKind): ApprovalEffects {
    const effects = this.effects.get(kind);
    if (!effects) throw new Error(`No module waits for decisions on ${kind}`);
    return effects;
  }

  /** Asks for approval in the caller's transaction. @returns the approval's id */
  async request(tx: Transaction, request: ApprovalRequest): Promise<string> {
    this.cacheInvalidation.invalidateAfter(tx, 'approvals');
    const [row] = await tx.$queryRaw<{ id: string }[]>(requestApproval(request));
    if (!row) throw new Error('request_approval answered nothing');
    return row.id;
  }

  /** Newest first. @throws INVALID_CURSOR */
  async page({ status, kind, limit, cursor }: ApprovalsQuery): Promise<Page<ApprovalResponse>> {
    const before = decodeCursor('approvals', cursor, UUID_CURSOR);
    const rows = await this.database.prisma.approval.findMany({
      where: { status, kind, ...(before === null ? {} : { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
    return toPage('approvals', rows.map(toResponse), limit, ({ id }) => id);
  }

  /** With every decision on it, oldest first. @throws NOT_FOUND */
  async find(id: string, tx: Pick<Transaction, 'approval'> = this.database.prisma): Promise<ApprovalDetailResponse> {
    const row = await tx.approval.findFirst({
      where: { id },
      include: { decisions: { orderBy: [{ decidedAt: 'asc' }, { approverId: 'asc' }] } },
    });
    if (!row) throw failure('NOT_FOUND');
    const decisions = row.decisions.map(({ approverId, decision, comment, decidedAt }) => ({
      approverId,
      decision: decision as Decision,
      comment,
      decidedAt: decidedAt.toISOString(),
    }));
    return { ...toResponse(row), decisions };
  }
}

interface ApprovalColumns {
  id: string;
  kind: string;
  subjectId: string;
  amount: bigint;
  currency: string;
  reason: string;
  payload: unknown;
  requestedBy: string;
  required: number;
  approved: number;
  status: string;
  createdAt: Date;
  decidedAt: Date | null;
}

function toResponse(row: ApprovalColumns): ApprovalResponse {
  return {
    id: row.id,
    kind: row.kind as ApprovalKind,
    subjectId: row.subjectId,
    amount: money(row.amount, row.currency),
    reason: row.reason,
    subject: row.payload as Record<string, unknown>,
    requestedBy: row.requestedBy,
    required: row.required,
    approved: row.approved,
    status: row.status as ApprovalStatus,
    createdAt: row.createdAt.toISOString(),
    decidedAt: row.decidedAt?.toISOString() ?? null,
  };
}
