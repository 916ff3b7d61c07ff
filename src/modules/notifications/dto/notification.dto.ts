import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { PageQuery } from '../../../http/page.dto.js';

export class NotificationsQuery extends PageQuery {
  /** true: only those that were not read yet. */
  @Omittable()
  @IsIn(['true', 'false'])
  unread?: 'true' | 'false';
}

export class NotificationResponse {
  id: string;
  /** approval.requested, approval.approved, approval.rejected, refund.failed */
  type: string;
  /** Ids and amounts of what happened. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  about: Record<string, unknown>;
  createdAt: string;
  readAt: string | null;
}

export class NotificationPageResponse {
  items: NotificationResponse[];
  nextCursor: string | null;
}
