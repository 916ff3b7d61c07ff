import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { Omittable } from '../../../http/omittable.js';
import { PageQuery } from '../../../http/page.dto.js';
import {
  APPROVAL_KINDS,
  APPROVAL_STATUSES,
  type ApprovalKind,
  type ApprovalStatus,
  type Decision,
  DECISIONS,
} from '../approvals.kinds.js';

export class ApprovalsQuery extends PageQuery {
  @Omittable()
  @IsIn(APPROVAL_STATUSES)
  status?: ApprovalStatus;

  @Omittable()
  @IsIn(APPROVAL_KINDS)
  kind?: ApprovalKind;
}

export class DecisionDto {
  @Omittable()
  @IsString()
  @MaxLength(500)
  comment?: string;
}

export class ApprovalResponse {
  id: string;
  @ApiProperty({ enum: APPROVAL_KINDS })
  kind: ApprovalKind;
  /** The refund, withdrawal, shift or adjustment that waits for it. */
  subjectId: string;
  amount: MoneyDto;
  reason: string;
  /** What it is about: the order, the wallets, … */
  @ApiProperty({ type: 'object', additionalProperties: true })
  subject: Record<string, unknown>;
  requestedBy: string;
  /** Approvals that it takes. */
  required: number;
  /** Approvals so far. */
  approved: number;
  @ApiProperty({ enum: APPROVAL_STATUSES })
  status: ApprovalStatus;
  createdAt: string;
  decidedAt: string | null;
}

export class ApprovalDecisionResponse {
  approverId: string;
  @ApiProperty({ enum: DECISIONS })
  decision: Decision;
  comment: string | null;
  decidedAt: string;
}

export class ApprovalDetailResponse extends ApprovalResponse {
  /** Oldest first. */
  decisions: ApprovalDecisionResponse[];
}

export class ApprovalPageResponse {
  items: ApprovalResponse[];
  nextCursor: string | null;
}
