import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface DeadJobRow {
  id: string;
  name: string;
  payload: { data: Record<string, unknown> };
  attempts: number;
  error: string;
  created_at: Date;
  died_at: Date;
}

/** Those that died last come first; one row more than a page. */
export function deadJobsPage(limit: number, after: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT d.id, d.name, d.payload, d.attempts, d.error, d.created_at, d.died_at
      FROM dead_jobs d
     WHERE d.store_id = ${currentStore()}::uuid AND (${after}::uuid IS NULL OR d.id < ${after}::uuid)
     ORDER BY d.id DESC
     LIMIT ${limit + 1}::int`;
}

/** False when the store has no such dead job. */
export function replayDeadJob(id: string): Prisma.Sql {
  return Prisma.sql`SELECT replay_dead_job(${currentStore()}::uuid, ${id}::uuid) AS replayed`;
}
