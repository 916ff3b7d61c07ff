import { newId } from '../../src/common/ids.js';
import { Shop } from './shop.js';
import { verify } from './verify.js';

let shop: Shop;
let orderId: string;

beforeAll(async () => {
  shop = await Shop.open();
  const [tea, agent, customer] = await Promise.all([
    shop.make.variant(shop.store),
    shop.make.agent(shop.store),
    shop.make.user(shop.store),
  ]);
  await shop.make.topUp(shop.store, customer, 10_000);
  const line = { variantId: tea, quantity: 2 };
  await shop.placed(customer, [line], 'WALLET');
  orderId = (await shop.placed(customer, [line])).id;
  await shop.carried(agent, orderId);
});
afterAll(() => shop.close());

const ORDER = 'WHERE id = $1';
/** What would be wrong, and how it is told. */
const DAMAGES: [string, string, string][] = [
  ['stock', 'UPDATE stock_levels SET on_hand = on_hand + 1', 'stock on hand is the sum of its movements'],
  ['a reservation', 'UPDATE stock_levels SET reserved = reserved + 1', 'reserved is what open orders want'],
  [
    'a parcel that left twice',
    `INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id)
     SELECT store_id, variant_id, delta, reason, order_id FROM stock_movements WHERE order_id = $1`,
    'what left the shelf for an order',
  ],
  [
    'a line',
    'UPDATE order_lines SET quantity = 3, total = unit_price * 3 WHERE order_id = $1',
    'an order is the sum of its lines',
  ],
  ['a status', `UPDATE orders SET status = 'PREPARING' ${ORDER}`, 'a parcel that an agent has is on its way'],
  ['a version', `UPDATE orders SET version = version + 1 ${ORDER}`, 'history is contiguous'],
  ['an event', `DELETE FROM outbox_events WHERE aggregate_id = $1 AND type = 'order.shipping'`, 'has its event'],
  ['an assignment', `UPDATE orders SET status = 'CANCELLED' ${ORDER}`, 'an order has one active assignment at most'],
  ['a payment', `UPDATE payments SET status = 'CAPTURED' WHERE order_id = $1`, 'a payment is where its order is'],
  [
    'a capture',
    'UPDATE payments SET captured_amount = 1 WHERE order_id = $1',
    'the status of a payment says what was captured',
  ],
  [
    'a delivery',
    `UPDATE shipping_assignments SET status = 'DELIVERED', closed_at = now(), cash_collected = 1 WHERE order_id = $1`,
    'what an agent took at the door',
  ],
  [
    'a key without an order',
    `INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response)
     SELECT store_id, principal, route, key || $1, fingerprint, status_code, json_build_object('id', '${newId()}')
       FROM idempotency_keys LIMIT 1`,
    'every key that placed an order has one',
  ],
];

describe('verify', () => {
  it('finds nothing to say of what Larder did itself', () => verify(shop.larder.sql));

  it.each(DAMAGES)('notices damage to %s', async (_name, damage, claim) => {
    const client = await shop.larder.sql.connect();
    try {
      await client.query('BEGIN');
      const { rowCount } = await client.query(damage, damage.includes('$1') ? [orderId] : []);
      expect(rowCount).toBeGreaterThan(0);
      await expect(verify(client)).rejects.toThrow(claim);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});
