import { COUPONS, KIND, PROMISE_MINUTES } from './draw.queries.js';

/** What is drawn of an order, by number; lines take ten from VARIANT and from QUANTITY on. */
const DRAW = {
  time: 1, method: 2, outcome: 3, customer: 4, guest: 5, agent: 6, dispatch: 7, travel: 8, slot: 11, coupon: 12, cart: 13,
  lines: 14, refund: 15, cash: 16, later: 17, decision: 18, cancel: 19, failure: 20, offer: 21, reason: 22, second: 23,
  variant: 30, quantity: 40, speed: 50, zip: 51,
} as const; // prettier-ignore

const drawn = (what: keyof typeof DRAW, n = 'n'): string => `pg_temp.draw(${n}, ${DRAW[what]})`;
const minutes = (expression: string): string => `make_interval(secs => 60 * (${expression}))`;

/**
 * Which orders are placed on the days of the batch, by whom, and what is to become of them, as far as the year goes. About 40 % pay
 * cash, 40 % by card, 20 % from a wallet. Of those of a card 3 % are never paid; 4.5 % of all are cancelled, 1.5 % refused at the
 * door, 2 % brought back days later.
 */
const PLACED = `
  placed AS MATERIALIZED (
    SELECT b.first_order + row_number() OVER (PARTITION BY b.day ORDER BY t.second, i) - 1 AS n, b.day, h.hour,
           date_trunc('milliseconds', (b.day + make_interval(secs => t.second)) AT TIME ZONE pg_temp.zone()) AS placed_at
      FROM batch b
     CROSS JOIN LATERAL generate_series(0, b.orders - 1) AS i
     CROSS JOIN LATERAL (SELECT b.share * ${drawn('time', 'b.first_order + i')} AS share OFFSET 0) u
      JOIN hours h ON u.share >= h.low AND u.share < h.low + h.width
     CROSS JOIN LATERAL (SELECT 3600 * (h.hour + (u.share - h.low) / h.width) AS second) t
  ), chosen AS MATERIALIZED (
    SELECT p.*, m.method, o.outcome,
           floor(pg_temp.customers() * power(${drawn('customer')}, 1.6))::int AS c,
           m.method <> 'WALLET' AND ${drawn('guest')} < 0.09 AS by_guest,
           floor(pg_temp.agents() * power(${drawn('agent')}, 1.2))::int AS a,
           o.outcome IN ('DELIVERED', 'RETURNED') AND ${drawn('failure')} < 0.03 AS failed_once,
           CASE WHEN ${drawn('slot')} < 0.25 AND p.hour < 18
                THEN (p.day + make_interval(hours => 2 * ((p.hour + 3) / 2))) AT TIME ZONE pg_temp.zone() END AS slot_at,
           CASE WHEN p.hour IN (12, 13, 18, 19, 20) THEN 1.25 ELSE 1 END AS rush
      FROM placed p
     CROSS JOIN LATERAL (SELECT ${drawn('method', 'p.n')} AS way, ${drawn('outcome', 'p.n')} AS fate OFFSET 0) u
     CROSS JOIN LATERAL (SELECT CASE WHEN u.way < 0.4 THEN 'COD' WHEN u.way < 0.8 THEN 'CARD' ELSE 'WALLET' END AS method) m
     CROSS JOIN LATERAL (
       SELECT CASE WHEN u.fate < 0.03 THEN CASE m.method WHEN 'CARD' THEN 'EXPIRED' ELSE 'DELIVERED' END
                   WHEN u.fate < 0.075 THEN 'CANCELLED' WHEN u.fate < 0.09 THEN 'REFUSED' WHEN u.fate < 0.11 THEN 'RETURNED'
                   ELSE 'DELIVERED' END AS outcome
     ) o
  )`;

/**
 * Times: packed in about a quarter of an hour, or for the window that was asked for; on the way for some twenty minutes, agents of
 * different speed, the bell curve the sum of three draws. A first attempt may fail and is repeated.
 */
const TIMED = `
  timed AS MATERIALIZED (
    SELECT c.*, t1.confirmed_at, t2.first_pickup_at, t3.first_end_at, t4.picked_up_at, t5.arrived_at,
           coalesce(c.slot_at + interval '2 hours', c.placed_at + interval '${PROMISE_MINUTES} minutes') AS promised_at,
           date_trunc('milliseconds', CASE c.outcome
             WHEN 'EXPIRED' THEN c.placed_at + interval '15 minutes'
             WHEN 'CANCELLED' THEN t1.confirmed_at + ${minutes(`1 + 5 * ${drawn('cancel')}`)}
             WHEN 'REFUSED' THEN t5.arrived_at + interval '40 minutes'
             WHEN 'RETURNED' THEN t5.arrived_at + ${minutes(`1440 + 4000 * ${drawn('later')}`)}
           END) AS undone_at
      FROM chosen c
     CROSS JOIN LATERAL (
       SELECT date_trunc('milliseconds', c.placed_at
                + CASE c.method WHEN 'CARD' THEN ${minutes(`0.1 + ${drawn('second')}`)} ELSE interval '0' END) AS confirmed_at,
              14 * (0.75 + 0.6 * pg_temp.draw(c.a, ${DRAW.speed})) * c.rush * exp(
                pg_temp.draw(c.n, ${DRAW.travel}) + pg_temp.draw(c.n, ${DRAW.travel + 1}) + pg_temp.draw(c.n, ${DRAW.travel + 2}) - 1.5
              ) AS travel
       OFFSET 0
     ) t1
     CROSS JOIN LATERAL (
       SELECT date_trunc('milliseconds', CASE WHEN c.slot_at IS NULL THEN c.placed_at + ${minutes(`9 + 13 * c.rush * ${drawn('dispatch')}`)}
                ELSE c.slot_at + ${minutes(`70 * ${drawn('dispatch')} - 10`)} END) AS first_pickup_at
       OFFSET 0
     ) t2
     CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', t2.first_pickup_at + ${minutes('t1.travel')}) AS first_end_at OFFSET 0) t3
     CROSS JOIN LATERAL (
       SELECT CASE WHEN c.failed_once THEN t3.first_end_at + interval '25 minutes' ELSE t2.first_pickup_at END AS picked_up_at
     ) t4
     CROSS JOIN LATERAL (
       SELECT CASE WHEN c.failed_once THEN date_trunc('milliseconds', t4.picked_up_at + ${minutes('t1.travel')})
                   ELSE t3.first_end_at END AS arrived_at
     ) t5
  )`;

/** Where each order stands at the end of the year: the steps that it has taken by then. */
const STEPPED = `
  stepped AS MATERIALIZED (
    SELECT t.*, s.steps[:k.reached] AS steps, s.times[:k.reached] AS times, s.steps[k.reached] AS status,
           s.times[k.reached] AS stands_since
      FROM timed t
     CROSS JOIN LATERAL (
       SELECT CASE t.method WHEN 'CARD' THEN ARRAY['PENDING'] ELSE '{}'::text[] END || CASE t.outcome
                WHEN 'EXPIRED' THEN ARRAY['EXPIRED']
                WHEN 'CANCELLED' THEN ARRAY['CONFIRMED', 'CANCELLED']
                WHEN 'REFUSED' THEN ARRAY['CONFIRMED', 'PREPARING', 'SHIPPING', 'RETURNED']
                WHEN 'RETURNED' THEN ARRAY['CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED', 'RETURNED']
                ELSE ARRAY['CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED'] END AS steps,
              CASE t.method WHEN 'CARD' THEN ARRAY[t.placed_at] ELSE '{}'::timestamptz[] END || CASE t.outcome
                WHEN 'EXPIRED' THEN ARRAY[t.undone_at]
                WHEN 'CANCELLED' THEN ARRAY[t.confirmed_at, t.undone_at]
                ELSE ARRAY[t.confirmed_at, t.first_pickup_at - interval '5 minutes', t.first_pickup_at, t.arrived_at, t.undone_at]
              END AS times
       OFFSET 0
     ) raw
     CROSS JOIN LATERAL (
       SELECT raw.steps,
              CASE WHEN t.outcome = 'REFUSED' THEN raw.times[:cardinality(raw.times) - 2] || t.undone_at ELSE raw.times END AS times
     ) s
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS reached FROM unnest(s.times) AS at WHERE at <= pg_temp.until()
     ) k
  )`;

/** An order as all tables tell of it, but for its amounts. */
export const DRAWN = `
  WITH ${PLACED}, ${TIMED}, ${STEPPED}
  SELECT f.*, pg_temp.id_of(${KIND.order}, f.n, f.placed_at) AS order_id,
         CASE WHEN NOT f.by_guest THEN pg_temp.person(${KIND.customer}, f.c) END AS customer_id,
         pg_temp.person(${KIND.agent}, f.a) AS agent_id,
         pg_temp.zip_of(pg_temp.draw(f.c, ${DRAW.zip})) AS zip,
         CASE WHEN ${drawn('cart')} < 0.2 THEN pg_temp.id_of(${KIND.cart}, f.n, f.placed_at) END AS cart_id,
         CASE WHEN ${drawn('coupon')} < 0.08 THEN floor(${COUPONS} * power(${drawn('coupon')} / 0.08, 1.5))::int END AS coupon,
         f.status IN ('SHIPPING', 'DELIVERED', 'RETURNED') AS shipped,
         f.status IN ('DELIVERED', 'RETURNED') AND f.outcome <> 'REFUSED' AS delivered,
         CASE f.method WHEN 'COD' THEN f.status IN ('DELIVERED', 'RETURNED') AND f.outcome <> 'REFUSED'
              WHEN 'CARD' THEN 'CONFIRMED' = ANY (f.steps) ELSE true END AS captured,
         CASE f.method WHEN 'COD' THEN f.arrived_at ELSE f.confirmed_at END AS captured_at,
         CASE WHEN f.status = 'DELIVERED' AND ${drawn('refund')} < 0.035
              THEN date_trunc('milliseconds', f.arrived_at + ${minutes(`30 + 2000 * ${drawn('later')}`)}) END AS asked_at,
         CASE WHEN f.method = 'COD' AND f.outcome = 'DELIVERED' AND ${drawn('refund')} >= 0.035 THEN ${drawn('cash')} END AS cash,
         ${drawn('decision')} AS decision, ${drawn('reason')} AS reason, ${drawn('offer')} AS offer
    FROM stepped f`;

/** One to eight different variants, popular ones more often than not; a coupon takes off the first lines what it is worth. */
export const LINES = `
  SELECT l.n, l.line_no, l.rank, l.quantity, s.variant_id, s.sku, s.name, s.price, s.price * l.quantity AS total, d.discount,
         pg_temp.tax(s.price * l.quantity - d.discount) AS tax
    FROM (
      SELECT n, rank, quantity, coupon, row_number() OVER (PARTITION BY n ORDER BY k)::smallint AS line_no
        FROM (
          SELECT d.n, d.coupon, k, pg_temp.rank_of(pg_temp.draw(d.n, ${DRAW.variant} + k)) AS rank,
                 CASE WHEN pg_temp.draw(d.n, ${DRAW.quantity} + k) < 0.7 THEN 1
                      WHEN pg_temp.draw(d.n, ${DRAW.quantity} + k) < 0.92 THEN 2 ELSE 3 END AS quantity,
                 row_number() OVER (PARTITION BY d.n, pg_temp.rank_of(pg_temp.draw(d.n, ${DRAW.variant} + k)) ORDER BY k) AS again
            FROM drawn d
           CROSS JOIN LATERAL generate_series(1, least(8, 1 + floor(-1.8 * ln(1 - ${drawn('lines', 'd.n')})))::int) AS k
        ) picked
       WHERE again = 1
    ) l
    JOIN shelf s ON s.rank = l.rank
   CROSS JOIN LATERAL (
     SELECT CASE WHEN l.coupon IS NULL OR l.line_no > 1 THEN 0 ELSE least(s.price * l.quantity, 100 * (1 + l.coupon % 5)) END::bigint
       AS discount
   ) d`;

/** An order with its amounts. At the door one in eighty pays too little, of whom half bring the rest next day, or too much. */
export const FACTS = `
  SELECT d.*, l.subtotal, l.discount, l.tax + t.delivery AS tax, t.delivery AS delivery_tax, pg_temp.fee() AS fee,
         l.subtotal - l.discount + pg_temp.fee() + CASE WHEN pg_temp.inclusive() THEN 0 ELSE l.tax + t.delivery END AS total,
         d.captured AND d.status IN ('CANCELLED', 'RETURNED') AS reversed,
         CASE WHEN d.delivered AND d.cash < 0.0125 THEN 100 ELSE 0 END AS owed,
         CASE WHEN d.delivered AND d.cash < 0.00625 AND d.arrived_at + interval '1 day' <= pg_temp.until() THEN 100 ELSE 0 END AS settled,
         CASE WHEN d.delivered AND d.cash BETWEEN 0.0125 AND 0.025 AND NOT d.by_guest THEN 50 ELSE 0 END AS above
    FROM drawn d
    JOIN (
      SELECT n, sum(total)::bigint AS subtotal, sum(discount)::bigint AS discount, sum(tax)::bigint AS tax FROM lines GROUP BY n
    ) l USING (n)
   CROSS JOIN LATERAL (
     SELECT CASE WHEN pg_temp.inclusive() THEN pg_temp.tax(pg_temp.fee()) ELSE 0 END::bigint AS delivery
   ) t
   ORDER BY d.n`;

/**
 * What is given back: everything of an order that was undone, or the first line of one that was delivered. Above the store's limit
 * somebody else decides within a day, against it once in five.
 */
export const RETURNS = `
  SELECT r.*, CASE WHEN NOT r.by_line OR NOT r.to_approve THEN 'SUCCEEDED' WHEN r.decided_at > pg_temp.until() THEN 'REQUESTED'
                   WHEN r.decision < 0.2 THEN 'REJECTED' ELSE 'SUCCEEDED' END AS status,
         CASE WHEN r.to_approve THEN r.decided_at ELSE r.asked_at END AS finished_at
    FROM (
      SELECT f.n, f.order_id, f.method, f.customer_id, f.agent_id, f.placed_at, f.total AS order_total, f.decision, f.reason,
             pg_temp.id_of(${KIND.refund}, f.n, w.asked_at) AS refund_id, NOT f.reversed AS by_line, w.asked_at,
             date_trunc('milliseconds', w.asked_at + ${minutes('30 + 1400 * f.decision')}) AS decided_at,
             CASE WHEN f.customer_id IS NOT NULL AND (f.method = 'COD' OR f.reason < 0.25) THEN 'WALLET' ELSE 'ORIGINAL' END AS destination,
             w.amount, NOT f.reversed AND w.amount > pg_temp.approval_above() AS to_approve,
             CASE WHEN f.reversed THEN f.discount ELSE l.discount END AS discount,
             CASE WHEN f.reversed THEN f.tax ELSE l.tax END AS tax,
             CASE WHEN f.reversed THEN f.fee - CASE WHEN pg_temp.inclusive() THEN f.delivery_tax ELSE 0 END ELSE 0 END AS fee,
             l.variant_id, l.rank, l.quantity, (ARRAY['RESTOCK', 'SCRAP', 'KEEP'])[1 + f.n % 3] AS goods
        FROM facts f
        JOIN lines l ON l.n = f.n AND l.line_no = 1
       CROSS JOIN LATERAL (
         SELECT CASE WHEN f.reversed THEN f.stands_since ELSE f.asked_at END AS asked_at,
                CASE WHEN f.reversed THEN f.total
                     ELSE l.total - l.discount + CASE WHEN pg_temp.inclusive() THEN 0 ELSE l.tax END END AS amount
       ) w
       WHERE (f.reversed OR f.asked_at <= pg_temp.until()) AND w.amount > 0
    ) r`;

/** Each time that somebody was to carry a parcel: offers that came to nothing, a first attempt that failed, and the last one. */
export const ATTEMPTS = `
  SELECT f.n, f.order_id, f.zip, f.method, f.total, f.owed, f.above, f.promised_at, f.day, k.k, a.offered_at,
         CASE WHEN a.accepted_at <= pg_temp.until() OR k.k = 0 THEN a.agent_id END AS agent_id,
         CASE WHEN a.accepted_at <= pg_temp.until() THEN a.accepted_at END AS accepted_at,
         CASE WHEN a.picked_up_at <= pg_temp.until() THEN a.picked_up_at END AS picked_up_at,
         CASE WHEN a.ended_at <= pg_temp.until() THEN a.ended_at END AS ended_at,
         CASE WHEN k.k = 0 THEN a.ending WHEN a.ended_at <= pg_temp.until() THEN a.ending
              WHEN a.picked_up_at <= pg_temp.until() THEN 'PICKED_UP' WHEN a.accepted_at <= pg_temp.until() THEN 'ACCEPTED'
              ELSE 'OFFERED' END AS status,
         pg_temp.id_of(${KIND.assignment}, 4 * f.n + k.k, a.offered_at) AS assignment_id
    FROM facts f
   CROSS JOIN generate_series(0, 2) AS k (k)
   CROSS JOIN LATERAL (
     SELECT CASE k.k WHEN 0 THEN f.first_pickup_at - interval '7 minutes' WHEN 1 THEN f.first_pickup_at - interval '5 minutes'
                     ELSE f.picked_up_at - interval '5 minutes' END AS offered_at,
            CASE WHEN k.k > 0 THEN f.picked_up_at - interval '3 minutes' - CASE k.k WHEN 1 THEN f.picked_up_at - f.first_pickup_at
                     ELSE interval '0' END END AS accepted_at,
            CASE k.k WHEN 1 THEN f.first_pickup_at WHEN 2 THEN f.picked_up_at END AS picked_up_at,
            CASE k.k WHEN 0 THEN f.first_pickup_at - interval '6 minutes' WHEN 1 THEN f.first_end_at ELSE f.arrived_at END AS ended_at,
            CASE k.k WHEN 0 THEN CASE WHEN f.offer < 0.03 THEN 'EXPIRED' ELSE 'REJECTED' END WHEN 1 THEN 'FAILED'
                     ELSE CASE f.outcome WHEN 'REFUSED' THEN 'FAILED' ELSE 'DELIVERED' END END AS ending,
            CASE WHEN k.k > 0 THEN f.agent_id WHEN f.offer >= 0.03 THEN pg_temp.person(${KIND.agent}, (f.a + 1) % pg_temp.agents()) END
              AS agent_id
   ) a
   WHERE f.outcome NOT IN ('CANCELLED', 'EXPIRED') AND f.status NOT IN ('PENDING', 'CONFIRMED')
     AND CASE k.k WHEN 0 THEN f.offer < 0.05 AND f.slot_at IS NULL WHEN 1 THEN f.failed_once ELSE true END
     AND CASE k.k WHEN 0 THEN a.ended_at ELSE a.offered_at END <= pg_temp.until()`;

/**
 * A shift is an agent's day; after his last delivery he hands in what he holds. In one of forty some is missing, which somebody else
 * decides on within a day. The last day's are still open.
 */
export const SHIFTS = `
  SELECT s.*, s.closing_at <= pg_temp.until() AS counted, s.closing_at + interval '20 hours' AS decided_at,
         CASE WHEN s.closing_at <= pg_temp.until() AND s.number % 40 = 7 THEN least(300, s.amount / 2) ELSE 0 END AS missing,
         pg_temp.id_of(${KIND.shift}, s.number, s.opened_at) AS shift_id
    FROM (
      SELECT f.agent_id, f.day, sum(f.total - f.owed + f.above)::bigint AS amount,
             (f.day - pg_temp.opened()::date)::bigint * pg_temp.agents() + f.a AS number,
             min(f.first_pickup_at) - interval '10 minutes' AS opened_at,
             max(f.arrived_at) + interval '30 minutes' AS closing_at
        FROM facts f
       WHERE f.method = 'COD' AND f.delivered
       GROUP BY f.agent_id, f.a, f.day
    ) s`;
