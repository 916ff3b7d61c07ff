import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import type { Actor } from '../../http/actor.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { approvalMetrics } from '../../platform/metrics/approval.metrics.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import type { ApprovalStatus, Decision } from './approvals.kinds.js';
import { type ApprovalRow, decide, lockApproval } from './approvals.queries.js';
import { ApprovalsService } from './approvals.service.js';
import type { ApprovalDetailResponse } from './dto/approval.dto.js';

interface Decided {
  approval: ApprovalDetailResponse;
  /** DUPLICATE: the same person has decided the same before; nothing was done. */
  outcome: ApprovalStatus | 'DUPLICATE';
}

/** One person's word on a request. The last approval that it takes, or the first rejection, settles it. */
@Injectable()
export class DecideApproval {
  constructor(
    private readonly database: Database,
    private readonly approvals: ApprovalsService,
    private readonly logger: LarderLogger,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /**
   * Locks the request, then whatever its effect locks; decision, transition, effect and news are one transaction. Said twice
   * by the same person it is said once.
   * @throws NOT_FOUND, APPROVAL_OWN_REQUEST, APPROVAL_DECIDED, and what the effect throws: then nothing is decided
   */
  @InvalidateCache('approvals')
  async decide(
    id: string,
    { id: approverId }: Actor,
    decision: Decision,
    comment?: string,
  ): Promise<ApprovalDetailResponse> {
    const { approval, outcome } = await this.database.transaction((tx) =>
      this.decideWithin(tx, id, approverId, decision, comment),
    );
    if (outcome === 'DUPLICATE') approvalMetrics.duplicates.inc({ kind: approval.kind });
    else approvalMetrics.decisions.inc({ kind: approval.kind, decision: decision.toLowerCase() });
    if (outcome === 'APPROVED' || outcome === 'REJECTED') {
      const event = outcome === 'APPROVED' ? 'approval_request_accepted' : 'approval_request_refused';
      this.logger.info({ event, approvalId: id, kind: approval.kind });
    }
    return approval;
  }

  private async decideWithin(
    tx: Transaction,
    id: string,
    approverId: string,
    decision: Decision,
    comment?: string,
  ): Promise<Decided> {
    const request = await this.lock(tx, id);
    if (request.requested_by === approverId) throw failure('APPROVAL_OWN_REQUEST');
    const said = await tx.approvalDecision.findFirst({ where: { approvalId: id, approverId } });
    if (said?.decision === decision) return { approval: await this.approvals.find(id, tx), outcome: 'DUPLICATE' };
    if (said || request.status !== 'PENDING') throw failure('APPROVAL_DECIDED', [{ status: request.status }]);

    const after = afterDecision(request, decision);
    await tx.$executeRaw(decide(request, { approverId, decision, comment: comment ?? null }, after));
    if (after.status !== 'PENDING') await this.cause(tx, request, decision, approverId);
    return { approval: await this.approvals.find(id, tx), outcome: after.status };
  }

  private async lock(tx: Transaction, id: string): Promise<ApprovalRow> {
    const stop = approvalMetrics.lockWait.startTimer();
    try {
      const [request] = await tx.$queryRaw<ApprovalRow[]>(lockApproval(id));
      if (!request) throw failure('NOT_FOUND');
      return request;
    } finally {
      stop();
    }
  }

  private async cause(tx: Transaction, request: ApprovalRow, decision: Decision, decidedBy: string): Promise<void> {
    const approval = {
      id: request.id,
      kind: request.kind,
      subjectId: request.subject_id,
      amount: Number(request.amount),
      currency: request.currency,
      reason: request.reason,
      payload: request.payload,
      requestedBy: request.requested_by,
      decidedBy,
    };
    const effects = this.approvals.effectsOf(request.kind);
    await (decision === 'APPROVED' ? effects.approved(tx, approval) : effects.rejected(tx, approval));
  }
}

function afterDecision(
  { approved, required }: ApprovalRow,
  decision: Decision,
): { status: ApprovalStatus; approved: number } {
  if (decision === 'REJECTED') return { status: 'REJECTED', approved };
  return { status: approved + 1 === required ? 'APPROVED' : 'PENDING', approved: approved + 1 };
}
