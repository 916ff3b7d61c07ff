import { Prisma } from '../../generated/prisma/client.js';

export interface RelayedRow {
  events: number;
  jobs: number;
}

export function relayOutbox(limit: number): Prisma.Sql {
  return Prisma.sql`SELECT events, jobs FROM relay_outbox(${limit}::int)`;
}

export function registerSubscribers(subscribers: ReadonlyMap<string, string[]>): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_subscribers (name, events, seen_at)
    SELECT s.key, ARRAY(SELECT json_array_elements_text(s.value)), now()
      FROM json_each(${JSON.stringify(Object.fromEntries(subscribers))}::json) AS s
    ON CONFLICT (name) DO UPDATE SET events = EXCLUDED.events, seen_at = now()
    RETURNING name`;
}

/** Those that no instance has known for a week. */
export function forgetSubscribers(): Prisma.Sql {
  return Prisma.sql`DELETE FROM outbox_subscribers WHERE seen_at < now() - interval '7 days' RETURNING name`;
}

/**
 * Deletes the oldest of the events that were handed over so long ago. Looks only at the head of the table, by id: a search for
 * the old among the young would read all of it whenever there are none.
 */
export function deletePublished(keepDays: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH old AS (
      DELETE FROM outbox_events e
       USING (SELECT id FROM outbox_events ORDER BY id LIMIT ${limit}::int) head
       WHERE e.id = head.id AND e.published_at < now() - make_interval(days => ${keepDays}::int)
      RETURNING e.id
    )
    SELECT count(*)::int AS deleted FROM old`;
}

/** Ends the job of an event, if nobody has yet, and wakes that of the next one of its aggregate. */
export function passTurn(key: string, worker: string): Prisma.Sql {
  return Prisma.sql`SELECT outbox_pass_turn(${key}, ${worker})::text AS passed`;
}

/** Whether an earlier event of the same aggregate is still with this subscriber. */
export function hasEarlier(key: string): Prisma.Sql {
  return Prisma.sql`SELECT outbox_has_earlier(${key}) AS earlier`;
}
