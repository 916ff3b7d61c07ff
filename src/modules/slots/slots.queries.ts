import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { NewSlotsDto } from './dto/slot.dto.js';

export interface SlotRow {
  id: string;
  zone_id: string;
  starts_at: Date;
  ends_at: Date;
  cutoff_at: Date;
  capacity: number;
  booked: number;
  closed_at: Date | null;
}

const COLUMNS = Prisma.sql`
  d.id, d.zone_id, d.starts_at, d.ends_at, d.cutoff_at, d.capacity, d.booked, d.closed_at`;

/** More windows a day nobody can choose from. */
const MOST_A_DAY = 200;

/** From midnight to midnight where the store is: 23 or 25 hours when clocks change. */
function withinDay(date: string | undefined): Prisma.Sql {
  const day = Prisma.sql`coalesce(${date ?? null}::date, (now() AT TIME ZONE s.timezone)::date)`;
  return Prisma.sql`
    d.starts_at >= (${day}::timestamp AT TIME ZONE s.timezone)
    AND d.starts_at < ((${day} + 1)::timestamp AT TIME ZONE s.timezone)`;
}

/** The windows of a day for a zip code. Walks idx_delivery_zones_zip_codes, then delivery_slots_window_key. */
export function slotsFor(zip: string, date: string | undefined): Prisma.Sql {
  return Prisma.sql`
    SELECT ${COLUMNS}
      FROM stores s
      JOIN delivery_zones z ON z.store_id = s.id AND z.zip_codes @> ARRAY[${zip}::text]
      JOIN delivery_slots d ON d.store_id = z.store_id AND d.zone_id = z.id
     WHERE s.id = ${currentStore()}::uuid
       AND ${withinDay(date)}
     ORDER BY d.starts_at, d.id
     LIMIT ${MOST_A_DAY}::int`;
}

/** The windows of a day in a zone. */
export function slotsOfZone(zoneId: string, date: string | undefined): Prisma.Sql {
  return Prisma.sql`
    SELECT ${COLUMNS}
      FROM stores s
      JOIN delivery_slots d ON d.store_id = s.id AND d.zone_id = ${zoneId}::uuid
     WHERE s.id = ${currentStore()}::uuid
       AND ${withinDay(date)}
     ORDER BY d.starts_at, d.id
     LIMIT ${MOST_A_DAY}::int`;
}

/**
 * The same windows for each day. A window that the clocks jump over doesn't exist that day (a time that they skip reads an hour
 * later); those that are there already stay as they are.
 */
export function insertSlots({ zoneId, from, to, windows }: NewSlotsDto): Prisma.Sql {
  return Prisma.sql`
    WITH made AS (
      INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity)
      SELECT z.store_id, uuid_v7(), z.id, t.starts_at, t.ends_at, t.starts_at - w.cutoff * interval '1 minute', w.capacity
        FROM stores s
        JOIN delivery_zones z ON z.store_id = s.id AND z.id = ${zoneId}::uuid
       CROSS JOIN generate_series(${from}::date::timestamp, ${to}::date::timestamp, interval '1 day') AS day
       CROSS JOIN unnest(
               ${windows.map(({ start }) => start)}::time[],
               ${windows.map(({ end }) => end)}::time[],
               ${windows.map(({ capacity }) => capacity)}::int[],
               ${windows.map(({ cutoffMinutes }) => cutoffMinutes)}::int[]
             ) AS w (start_at, end_at, capacity, cutoff)
       CROSS JOIN LATERAL (
         SELECT (day + w.start_at) AT TIME ZONE s.timezone AS starts_at, (day + w.end_at) AT TIME ZONE s.timezone AS ends_at
       ) t
       WHERE s.id = ${currentStore()}::uuid
         AND t.starts_at < t.ends_at
         AND (t.starts_at AT TIME ZONE s.timezone = day + w.start_at OR t.ends_at AT TIME ZONE s.timezone = day + w.end_at)
       ORDER BY t.starts_at
      ON CONFLICT DO NOTHING
      RETURNING id
    )
    SELECT count(*)::int AS created
      FROM made`;
}
