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
