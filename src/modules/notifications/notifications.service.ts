import { Injectable, type OnModuleInit } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { type OutboxEvent, Outbox } from '../../platform/outbox/outbox.service.js';
import { Database } from '../../platform/prisma/database.js';
import type { NotificationResponse, NotificationsQuery } from './dto/notification.dto.js';
import { notifyApprovers, notifyStaff, notifyUsers } from './notifications.queries.js';

/** What people of the shop are told of what concerns them, each event once. */
@Injectable()
export class NotificationsService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.outbox.subscribe<{ requestedBy: string | null }>(
      'notifications',
      ['approval.requested', 'approval.approved', 'approval.rejected', 'refund.failed'],
      (event, job) => job.commitWith((tx) => tx.$executeRaw(recipientsOf(event)).then(() => undefined)),
    );
  }

  /** One's own, newest first. @throws INVALID_CURSOR */
  async page(userId: string, { unread, limit, cursor }: NotificationsQuery): Promise<Page<NotificationResponse>> {
    const before = decodeCursor('notifications', cursor, UUID_CURSOR);
    const rows = await this.database.prisma.notification.findMany({
      where: {
        userId,
        ...(unread === 'true' ? { readAt: null } : {}),
        ...(before === null ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
    return toPage('notifications', rows.map(toResponse), limit, ({ id }) => id);
  }

  /** Said twice it stays as it was the first time. @throws NOT_FOUND, for somebody else's too */
  async read(userId: string, id: string): Promise<NotificationResponse> {
    await this.database.prisma.notification.updateMany({
      where: { id, userId, readAt: null },
      data: { readAt: new Date() },
    });
    const notification = await this.database.prisma.notification.findFirst({ where: { id, userId } });
    if (!notification) throw failure('NOT_FOUND');
    return toResponse(notification);
  }
}

/** A request: all who may decide on it. A decision: who asked. What failed: staff, whoever has caused it. */
function recipientsOf(event: OutboxEvent<{ requestedBy: string | null }>): ReturnType<typeof notifyStaff> {
  const { requestedBy } = event.payload;
  if (event.type === 'refund.failed' || requestedBy === null) return notifyStaff(requestedBy, event);
  return event.type === 'approval.requested' ? notifyApprovers(requestedBy, event) : notifyUsers([requestedBy], event);
}

interface NotificationColumns {
  id: string;
  type: string;
  payload: unknown;
  createdAt: Date;
  readAt: Date | null;
}

function toResponse({ id, type, payload, createdAt, readAt }: NotificationColumns): NotificationResponse {
  return {
    id,
    type,
    about: payload as Record<string, unknown>,
    createdAt: createdAt.toISOString(),
    readAt: readAt?.toISOString() ?? null,
  };
}
