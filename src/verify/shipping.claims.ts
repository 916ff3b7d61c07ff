import type { ClaimGroup } from './claim.js';
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
         WHERE (a.status = 'PICKED_UP' AND o.status <> 'SHIPPING')
            OR (a.status = 'DELIVERED' AND o.status NOT IN ('DELIVERED', 'RETURNED'))`,
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
      sql: `
        SELECT store_id, order_id, count(*) AS deliveries
          FROM shipping_assignments
         WHERE status = 'DELIVERED'
         GROUP BY store_id, order_id
        HAVING count(*) > 1`,
    },
    {
      name: 'an agent was paid for deliveries that he made, once for each',
      seconds: 3.5,
      without: ['mergejoin'],
      sql: `
        SELECT store_id, assignment_id, agent_id, sum(delivered) AS delivered, sum(paid) AS paid
          FROM (
            SELECT store_id, id::text AS assignment_id, agent_id, 1 AS delivered, 0 AS paid
              FROM shipping_assignments
             WHERE status = 'DELIVERED'
             UNION ALL
            SELECT store_id, reference, owner_id, 0, 1
              FROM ${postings(['AGENT_FEE'], ['AGENT_EARNINGS'])} posted
          ) fees
         GROUP BY store_id, assignment_id, agent_id
        HAVING sum(paid) > sum(delivered)`,
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
