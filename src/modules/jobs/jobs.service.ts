import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { decodeCursor, toPage, UUID_CURSOR } from '../../common/pagination.js';
import type { PageQuery } from '../../http/page.dto.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { redact } from '../../platform/logging/redact.js';
import { Database } from '../../platform/prisma/database.js';
import type { DeadJobPage } from './dto/dead-jobs.dto.js';
import { type DeadJobRow, deadJobsPage, replayDeadJob } from './jobs.queries.js';

/** Jobs that used up their attempts, for the people of their store. */
@Injectable()
export class DeadJobs {
  constructor(
    private readonly database: Database,
    private readonly logger: LarderLogger,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list({ limit, cursor }: PageQuery): Promise<DeadJobPage> {
    const after = decodeCursor('dead-jobs', cursor, UUID_CURSOR);
    const rows = await this.database.query<DeadJobRow>(deadJobsPage(limit, after));
    const items = rows.map(({ id, name, payload, attempts, error, created_at, died_at }) => ({
      id,
      name,
      data: redact(payload.data),
      attempts,
      error,
      createdAt: created_at.toISOString(),
      diedAt: died_at.toISOString(),
    }));
    return toPage('dead-jobs', items, limit, (item) => item.id);
  }

  /** Gives it all its attempts again; it is a dead job no longer. @throws NOT_FOUND */
  async replay(id: string): Promise<void> {
    const [row] = await this.database.query<{ replayed: boolean }>(replayDeadJob(id));
    if (!row?.replayed) throw failure('NOT_FOUND');
    this.logger.info({ event: 'job_replay_started', deadJobId: id });
  }
}
