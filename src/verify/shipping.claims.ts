import type { ClaimGroup } from './claim.js';
import { FOLDED } from './folded-days.js';
import { postings } from './postings.js';

export const SHIPPING: ClaimGroup = {
  name: 'shipping',
  claims: [
    {
      name: 'an order has one active assignment at most, and none once it has ended',
      sql: `
        SELECT a.store_id, a.order_id, o.status, count(*) AS active
          FROM shipping_assignments a
          JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
         WHERE a.status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP')
         GROUP BY a.store_id, a.order_id, o.status
        HAVING count(*) > 1 OR o.status IN ('DELIVERED', 'CANCELLED', 'RETURNED', 'EXPIRED')`,
    },
    {
      name: 'a parcel that an agent has is on its way, one that he has delivered has arrived',
      sql: `
        SELECT a.store_id, a.id AS assignment_id, a.status, o.id AS order_id, o.status AS order_status
          FROM shipping_assignments a
          JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
         WHERE a.status = 'PICKED_UP' AND o.status <> 'SHIPPING'
         UNION ALL
        SELECT a.store_id, a.id, a.status, o.id, o.status
          FROM shipping_assignments a
          JOIN orders o ON o.store_id = a.store_id AND o.id = a.order_id
         WHERE a.status = 'DELIVERED' AND o.status NOT IN ('DELIVERED', 'RETURNED')`,
    },
    {
      name: 'an assignment has the times that its status says, and an agent once it was taken',
      sql: `
        SELECT store_id, id AS assignment_id, status, agent_id, accepted_at, picked_up_at, delivered_at
          FROM shipping_assignments
         WHERE (status IN ('ACCEPTED', 'PICKED_UP', 'DELIVERED') AND (agent_id IS NULL OR accepted_at IS NULL))
            OR (status IN ('PICKED_UP', 'DELIVERED') AND picked_up_at IS NULL)
            OR (status = 'DELIVERED') <> (delivered_at IS NOT NULL)
            OR (status = 'OFFERED' AND accepted_at IS NOT NULL)`,
    },
    {
      name: 'an order was delivered once at most',
      without: ['hashagg'],
      sql: `
        SELECT store_id, order_id, count(*) AS deliveries
          FROM shipping_assignments
         WHERE status = 'DELIVERED'
         GROUP BY store_id, order_id
        HAVING count(*) > 1`,
    },
    {
      name: 'an agent was paid for deliveries that he made, once for each; his attempts of a folded day, and his pay, are counted as they are',
      seconds: 5.5,
      // One pass over fees for both, and no sorting: there are as many of them as deliveries. An attempt that meets two of
      // them is there more often than there are attempts.
      without: ['mergejoin', 'sort'],
      sql: `
        WITH ${FOLDED}, tried AS (
          SELECT a.store_id, a.id::text AS id, coalesce((a.closed_at AT TIME ZONE s.timezone)::date, '-infinity') AS day, a.agent_id,
                 a.status = 'DELIVERED' AS delivered, a.status = 'DELIVERED' AND a.delivered_at <= a.promised_at AS on_time
            FROM shipping_assignments a
            JOIN stores s ON s.id = a.store_id
           WHERE a.status IN ('DELIVERED', 'FAILED') AND a.agent_id IS NOT NULL
        ), counted AS MATERIALIZED (
          SELECT store_id, day, agent_id, count(*) AS attempts, count(*) FILTER (WHERE delivered) AS deliveries,
                 count(*) FILTER (WHERE on_time) AS on_time
            FROM tried
           GROUP BY store_id, day, agent_id
        ), pay AS MATERIALIZED (
          SELECT coalesce(t.store_id, p.store_id) AS store_id, t.day, t.agent_id, count(t.id) AS attempts,
                 bigint_sum(p.amount) FILTER (WHERE t.delivered AND p.amount > 0) AS earnings,
                 min(p.reference) FILTER (
                   WHERE p.type = 'AGENT_FEE' AND (t.delivered IS NOT TRUE OR t.agent_id <> p.owner_id)
                 ) AS mispaid
            FROM tried t
            FULL JOIN (
              SELECT store_id, type, reference, owner_id, amount
                FROM ${postings(['AGENT_FEE'], ['AGENT_EARNINGS'])} fees
               UNION ALL
              SELECT f.store_id, f.type, f.reference, NULL, e.amount
                FROM ledger_transactions f
                JOIN ledger_entries e ON e.store_id = f.store_id AND e.transaction_id = f.id AND e.amount > 0
               WHERE f.type = 'PAST_AGENT_FEE'
            ) p ON p.store_id = t.store_id AND p.reference = t.id
           GROUP BY 1, 2, 3
        )
        SELECT store_id, day, agent_id, 'paid for' AS wrong, mispaid AS assignment_id, NULL::bigint AS deliveries, NULL::bigint AS on_time,
               NULL::bigint AS failures, NULL::numeric AS earnings
          FROM pay
         WHERE mispaid IS NOT NULL
         UNION ALL
        SELECT store_id, day, agent_id, 'paid twice', NULL, p.attempts - c.attempts, NULL, NULL, NULL
          FROM pay p
          JOIN counted c USING (store_id, day, agent_id)
         WHERE p.attempts <> c.attempts
         UNION ALL
        SELECT store_id, day, agent_id, 'counted', NULL, sum(deliveries), sum(on_time), sum(failures), sum(earnings)
          FROM (
            SELECT store_id, day, agent_id, deliveries, on_time, failures, earnings
              FROM agent_days
             UNION ALL
            SELECT store_id, day, agent_id, -deliveries, -on_time, deliveries - attempts, 0
              FROM counted
             UNION ALL
            SELECT store_id, day, agent_id, 0, 0, 0, -earnings
              FROM pay
          ) both_ways
          JOIN folded USING (store_id, day)
         GROUP BY store_id, day, agent_id
        HAVING sum(deliveries) <> 0 OR sum(on_time) <> 0 OR sum(failures) <> 0 OR sum(earnings) <> 0`,
    },
    {
      name: 'cash that was handed in is on the ledger, and what is there was handed in',
      without: ['mergejoin'],
      sql: `
        SELECT store_id, remittance_id, sum(handed_in) AS handed_in, sum(posted) AS posted
          FROM (
            SELECT store_id, id::text AS remittance_id, amount AS handed_in, 0 AS posted
              FROM remittances
             UNION ALL
            SELECT store_id, reference, 0, amount
              FROM ${postings(['REMITTANCE'], ['AGENT_CASH'])} posted
          ) cash
         GROUP BY store_id, remittance_id
        HAVING sum(handed_in) <> sum(posted)`,
    },
  ],
};
