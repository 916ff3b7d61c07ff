import { currentContext, currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export function enqueueJob(
  name: string,
  data: object,
  { runAt, key, maxAttempts }: { runAt?: Date; key?: string; maxAttempts?: number },
): Prisma.Sql {
  return Prisma.sql`
    SELECT enqueue_job(
      ${currentStore()}::uuid, ${name}, ${JSON.stringify(data)}::json, ${runAt ?? null}::timestamptz, ${key ?? null},
      ${maxAttempts ?? null}::int, ${currentContext()?.requestId ?? null}
    )::text AS id`;
}

/** False when another worker has it. */
export function finishJob(id: string, worker: string): Prisma.Sql {
  return Prisma.sql`SELECT finish_job(${id}::bigint, ${worker}) AS finished`;
}

export function postponeJob(id: string, worker: string, delayMs: number): Prisma.Sql {
  return Prisma.sql`SELECT postpone_job(${id}::bigint, ${worker}, ${delayMs}::int)::text AS postponed`;
}

export interface StoreRow {
  id: string;
}

export function storesAfter(id: string | undefined, limit: number): Prisma.Sql {
  return Prisma.sql`SELECT id FROM stores WHERE ${id ?? null}::uuid IS NULL OR id > ${id ?? null}::uuid ORDER BY id LIMIT ${limit}`;
}

/** What was taken by workers that nobody knows, and jobs without an attempt left. */
export function releaseOrphans(lostMs: number): Prisma.Sql {
  return Prisma.sql`SELECT release_orphaned_jobs(${lostMs}::int) AS released, bury_dead_jobs() AS buried`;
}

export interface BacklogRow {
  ready: number;
  delayed: number;
  running: number;
  dead: number;
  outboxPending: number;
  outboxOldestSeconds: number;
}

/** No more of each than can be counted in a few milliseconds: a backlog must not make its own measuring slow. */
const COUNT_AT_MOST = 10_000;

export function countBacklog(): Prisma.Sql {
  return Prisma.sql`
    SELECT q.ready, q.delayed, q.running, d.dead, o.pending AS "outboxPending", o.oldest AS "outboxOldestSeconds"
      FROM (
        SELECT (count(*) FILTER (WHERE j.locked_at IS NULL AND j.run_at <= now()))::int AS ready,
               (count(*) FILTER (WHERE j.locked_at IS NULL AND j.run_at > now()))::int AS delayed,
               (count(*) FILTER (WHERE j.locked_at IS NOT NULL))::int AS running
          FROM (SELECT locked_at, run_at FROM graphile_worker.jobs LIMIT ${COUNT_AT_MOST}::int) j
      ) q
     CROSS JOIN (SELECT count(*)::int AS dead FROM (SELECT 1 FROM dead_jobs LIMIT ${COUNT_AT_MOST}::int) x) d
     CROSS JOIN (
       SELECT count(*)::int AS pending, coalesce(extract(epoch FROM now() - min(e.created_at)), 0)::float8 AS oldest
         FROM (
           SELECT created_at FROM outbox_events WHERE published_at IS NULL ORDER BY id LIMIT ${COUNT_AT_MOST}::int
         ) e
     ) o`;
}
