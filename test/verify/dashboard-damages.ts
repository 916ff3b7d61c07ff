import { type Damage } from './damage.js';

/** The first row of a rollup for which something holds. */
const first = (table: string, condition = 'true'): string =>
  `ctid = (SELECT ctid FROM ${table} WHERE ${condition} ORDER BY 1 LIMIT 1)`;

export const DASHBOARDS: Damage[] = [
  {
    claim: 'orders of a folded day are counted as they are',
    sql: `UPDATE order_days SET total = total + 1 WHERE ${first('order_days')} RETURNING day::text AS id`,
  },
  {
    claim: 'orders of a folded day are counted as they are',
    sql: `UPDATE orders SET status = 'RETURNED' WHERE id = (SELECT id FROM orders WHERE status = 'DELIVERED' ORDER BY placed_at LIMIT 1)
          RETURNING 'RETURNED' AS id`,
  },
  {
    claim: 'goods sold on a folded day are counted as they are',
    sql: `UPDATE product_days SET units = units + 1 WHERE ${first('product_days')} RETURNING variant_id::text AS id`,
  },
  {
    claim: 'goods sold in a month are those of its folded days',
    sql: `DELETE FROM product_months WHERE ${first('product_months')} RETURNING variant_id::text AS id`,
  },
  {
    claim: 'attempts to deliver of a folded day are counted as they are, by agent',
    sql: `UPDATE agent_days SET earnings = earnings + 1 WHERE ${first('agent_days')} RETURNING agent_id::text AS id`,
  },
  {
    claim: 'attempts to deliver of a folded day are counted as they are, by zip code and by how long they took',
    sql: `DELETE FROM zip_days WHERE ${first('zip_days')} RETURNING day::text AS id`,
  },
  {
    claim: 'attempts to deliver of a folded day are counted as they are, by zip code and by how long they took',
    sql: `UPDATE delivery_minutes SET minutes = minutes + 100000 WHERE ${first('delivery_minutes')} RETURNING day::text AS id`,
  },
  {
    claim: 'a folded day as a whole is what its zip codes and its times say',
    sql: `UPDATE fulfilment_days SET on_time = on_time + 1 WHERE ${first('fulfilment_days')} RETURNING day::text AS id`,
  },
];
