import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { amount, share } from '../../platform/prisma/document-sql.js';
import type { DayRange } from './day-range.js';
import { agentFigures, fulfilmentFigures, zipFigures } from './rollups.queries.js';

const MOST_ZIPS = 100;

const FULFILMENT = Prisma.sql`
  'deliveries', t.deliveries, 'failures', t.failures,
  'onTime', ${share(Prisma.sql`t.on_time`, Prisma.sql`t.deliveries`)},
  'firstAttempt', ${share(Prisma.sql`t.first_deliveries`, Prisma.sql`t.first_attempts`)},
  'minutes', json_build_object(
    'toPickUp', json_build_object('p50', t.to_pick_up[1], 'p95', t.to_pick_up[2]),
    'toDeliver', json_build_object('p50', t.to_deliver[1], 'p95', t.to_deliver[2]),
    'inAll', json_build_object('p50', t.in_all[1], 'p95', t.in_all[2])
  )`;

/** The percentiles of the whole range, by nearest rank, are found where enough deliveries have been counted up. */
export function fulfilment(range: DayRange): Prisma.Sql {
  const stage = (name: string): Prisma.Sql =>
    Prisma.sql`(SELECT ARRAY[k.p50, k.p95] FROM ranks k WHERE k.stage = ${name}::text)`;
  return Prisma.sql`
    WITH ${fulfilmentFigures(range)}, ranks AS (
      SELECT m.stage, min(m.minutes) FILTER (WHERE m.up_to * 100 >= m.deliveries * 50) AS p50,
             min(m.minutes) FILTER (WHERE m.up_to * 100 >= m.deliveries * 95) AS p95
        FROM (
          SELECT n.stage, n.minutes, sum(sum(n.deliveries)) OVER (PARTITION BY n.stage ORDER BY n.minutes) AS up_to,
                 sum(sum(n.deliveries)) OVER (PARTITION BY n.stage) AS deliveries
            FROM minutes n
           GROUP BY n.stage, n.minutes
        ) m
       GROUP BY m.stage
    ), whole AS (
      SELECT coalesce(sum(f.deliveries), 0) AS deliveries, coalesce(sum(f.on_time), 0) AS on_time,
             coalesce(sum(f.failures), 0) AS failures, coalesce(sum(f.first_attempts), 0) AS first_attempts,
             coalesce(sum(f.first_deliveries), 0) AS first_deliveries,
             ${stage('PICK_UP')} AS to_pick_up, ${stage('DELIVER')} AS to_deliver, ${stage('ALL')} AS in_all
        FROM figures f
    )
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'total', (SELECT json_build_object(${FULFILMENT}) FROM whole t),
             'days', coalesce((
               SELECT json_agg(json_build_object('day', t.day, ${FULFILMENT}) ORDER BY t.day) FROM figures t
             ), '[]')
           )::text AS document
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}

/** The zip codes with the most deliveries. */
export function deliveryByZip(range: DayRange): Prisma.Sql {
  return Prisma.sql`
    WITH ${zipFigures(range)}
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'items', coalesce(json_agg(json_build_object(
               'zip', t.zip, 'deliveries', t.deliveries, 'failures', t.failures,
               'onTime', ${share(Prisma.sql`t.on_time`, Prisma.sql`t.deliveries`)},
               'averageMinutes', round(t.minutes / nullif(t.deliveries, 0), 1)
             ) ORDER BY t.deliveries DESC, t.zip) FILTER (WHERE t.zip IS NOT NULL), '[]')
           )::text AS document
      FROM stores s
      LEFT JOIN (
        SELECT f.zip, sum(f.deliveries) AS deliveries, sum(f.on_time) AS on_time, sum(f.failures) AS failures,
               sum(f.minutes) AS minutes
          FROM figures f
         GROUP BY f.zip
         ORDER BY sum(f.deliveries) DESC, f.zip
         LIMIT ${MOST_ZIPS}::int
      ) t ON true
     WHERE s.id = ${currentStore()}::uuid
     GROUP BY s.id`;
}

/** Most deliveries first, then the larger share of them in time; what they hold for the store is of now. */
export function agentLeaderboard(range: DayRange, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH ${agentFigures(range)}, top AS (
      SELECT row_number() OVER (
               ORDER BY sum(f.deliveries) DESC, sum(f.on_time)::numeric / nullif(sum(f.deliveries), 0) DESC NULLS LAST, f.agent_id
             ) AS place,
             f.agent_id, sum(f.deliveries) AS deliveries, sum(f.on_time) AS on_time, sum(f.failures) AS failures,
             sum(f.earnings) AS earnings
        FROM figures f
       GROUP BY f.agent_id
       ORDER BY place
       LIMIT ${limit}::int
    )
    SELECT json_build_object(
             'from', ${range.from}::text, 'to', ${range.to}::text,
             'items', coalesce((
               SELECT json_agg(json_build_object(
                        'agentId', a.id, 'name', a.name, 'deliveries', t.deliveries, 'failures', t.failures,
                        'onTime', ${share(Prisma.sql`t.on_time`, Prisma.sql`t.deliveries`)},
                        'earnings', ${amount(Prisma.sql`t.earnings`)},
                        'cashInHand', ${amount(Prisma.sql`-c.balance`)}
                      ) ORDER BY t.place)
                 FROM top t
                 JOIN delivery_agents a ON a.store_id = s.id AND a.id = t.agent_id
                 LEFT JOIN wallets c
                   ON c.store_id = s.id AND c.kind = 'AGENT_CASH' AND c.owner_id = a.id AND c.currency = s.currency
             ), '[]')
           )::text AS document
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}
