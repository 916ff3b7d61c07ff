import { AGENT_FEE, COUPONS, DELIVERY_FEE, KIND, PROMISE_MINUTES, REFUND_APPROVAL_ABOVE } from './draw.queries.js';

/** $1 name, $2 zip codes. An offer is good for five minutes; agents may hold two days' cash. */
export const STORE = `
  INSERT INTO stores (
    id, slug, name, currency, timezone, service_zip_codes, delivery_fee, agent_fee, agent_float_limit, offer_ttl_seconds,
    promise_minutes, tax_inclusive, tax_rate_ppm, delivery_tax_ppm, refund_approval_threshold, created_at
  ) VALUES (
    pg_temp.store(), pg_temp.slug(), $1, pg_temp.currency(), pg_temp.zone(), $2, ${DELIVERY_FEE}, ${AGENT_FEE}, 200000, 300,
    ${PROMISE_MINUTES}, pg_temp.inclusive(), pg_temp.rate(), CASE WHEN pg_temp.inclusive() THEN pg_temp.rate() ELSE 0 END,
    ${REFUND_APPROVAL_ABOVE}, pg_temp.opened()
  )`;

const PERSON = `
  INSERT INTO users (store_id, id, email, name, password_hash, roles, address, created_at)
  SELECT pg_temp.store(), p.id, p.login || '@' || pg_temp.slug() || '.larder.test', p.name, $1, ARRAY[p.role], p.address, pg_temp.opened()`;

/** $1 hash of the password that all of them have. */
export const PEOPLE = [
  `${PERSON}
     FROM (VALUES
       (pg_temp.person(${KIND.staff}, 0), 'admin', 'Alex Admin', 'ADMIN', NULL::jsonb),
       (pg_temp.person(${KIND.staff}, 1), 'manager', 'Morgan Manager', 'MANAGER', NULL),
       (pg_temp.person(${KIND.staff}, 2), 'manager2', 'Mika Manager', 'MANAGER', NULL),
       (pg_temp.person(${KIND.staff}, 3), 'support', 'Sasha Support', 'SUPPORT', NULL)
     ) AS p (id, login, name, role, address)`,
  `${PERSON}
     FROM (
       SELECT pg_temp.person(${KIND.agent}, a) AS id, 'agent' || a + 1 AS login, 'Agent ' || a + 1 AS name, 'AGENT' AS role,
              NULL::jsonb AS address
         FROM generate_series(0, pg_temp.agents() - 1) AS a
     ) p`,
  `${PERSON}
     FROM (
       SELECT pg_temp.person(${KIND.customer}, c) AS id, 'customer' || c + 1 AS login, 'Customer ' || c + 1 AS name, 'CUSTOMER' AS role,
              jsonb_build_object('name', 'Customer ' || c + 1, 'phone', '+1 212 555 0100', 'line1', 1 + c % 400 || ' Main Street',
                                 'city', 'New York', 'zip', pg_temp.zip_of(pg_temp.draw(c, 51))) AS address
         FROM generate_series(0, pg_temp.customers() - 1) AS c
     ) p`,
];

/** $1 zip codes, which every agent serves; a zone has every fourth of them. */
export const AGENTS_AND_ZONES = [
  `INSERT INTO delivery_agents (store_id, id, name, status, service_zip_codes, created_at)
   SELECT store_id, id, name, 'ONLINE', $1, created_at FROM users WHERE store_id = pg_temp.store() AND roles = '{AGENT}'`,
  `INSERT INTO delivery_zones (store_id, id, name, zip_codes, created_at)
   SELECT pg_temp.store(), pg_temp.person(${KIND.zone}, pg_temp.zone_of(zip)), 'Zone ' || pg_temp.zone_of(zip) + 1, array_agg(zip),
          pg_temp.opened()
     FROM unnest($1::text[]) AS zip
    GROUP BY pg_temp.zone_of(zip)`,
];

/** The wallets that open_user_wallets() opens one by one. */
export const WALLETS = [
  `INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
   SELECT u.store_id, uuid_v7(), k.kind, u.id, pg_temp.currency(), true, k.kind = 'AGENT_CASH'
     FROM users u
     JOIN (VALUES ('CUSTOMER', 'CUSTOMER'), ('AGENT', 'AGENT_EARNINGS'), ('AGENT', 'AGENT_CASH')) AS k (role, kind)
       ON k.role = ANY (u.roles)
    WHERE u.store_id = pg_temp.store()`,
  'SELECT open_store_wallets(pg_temp.store())',
];

/** $1 the shelf as JSON. */
export const CATALOG = [
  `INSERT INTO categories (store_id, id, slug, name, created_at)
   SELECT pg_temp.store(), pg_temp.person(${KIND.category}, row_number() OVER (ORDER BY category)),
          trim('-' FROM regexp_replace(lower(category), '[^a-z]+', '-', 'g')), category, pg_temp.opened()
     FROM (SELECT DISTINCT category FROM json_to_recordset($1) AS v (category text)) c`,
  `INSERT INTO products (store_id, id, slug, name, description, category_id, published, created_at, updated_at)
   SELECT pg_temp.store(), pg_temp.person(${KIND.product}, min(v.rank)), v.slug, min(v.product), min(v.description), c.id, true,
          pg_temp.opened(), pg_temp.opened()
     FROM json_to_recordset($1) AS v (rank int, slug text, product text, description text, category text)
     JOIN categories c ON c.store_id = pg_temp.store() AND c.name = v.category
    GROUP BY v.slug, c.id`,
  `INSERT INTO variants (store_id, id, product_id, sku, name, price, currency, created_at)
   SELECT pg_temp.store(), pg_temp.person(${KIND.variant}, v.rank), p.id, v.sku, v.name, v.price, pg_temp.currency(), pg_temp.opened()
     FROM json_to_recordset($1) AS v (rank int, slug text, sku text, name text, price bigint)
     JOIN products p ON p.store_id = pg_temp.store() AND p.slug = v.slug`,
  // What popular goods are held in is no more than of others: they are bought in more often. Of one in twenty hardly any is left.
  `INSERT INTO stock_levels (store_id, variant_id, on_hand)
   SELECT pg_temp.store(), pg_temp.person(${KIND.variant}, v.rank),
          CASE WHEN pg_temp.draw(v.rank, 70) < 0.05 THEN 1 + floor(12 * pg_temp.draw(v.rank, 71))
               ELSE 40 + floor(400 * pg_temp.draw(v.rank, 71)) END
     FROM json_to_recordset($1) AS v (rank int)`,
];

export const FIRST_STOCK = `
  INSERT INTO stock_movements (store_id, variant_id, delta, reason, created_at)
  SELECT store_id, variant_id, on_hand, 'RECEIPT', pg_temp.opened() FROM stock_levels WHERE store_id = pg_temp.store()`;

/** Half of them have an end to all uses, a third to those of a customer. */
export const COUPON_ROWS = `
  INSERT INTO coupons (store_id, id, code, kind, value, usage_limit, customer_limit, created_at)
  SELECT pg_temp.store(), pg_temp.person(${KIND.coupon}, k), 'SAVE-' || k + 1, 'FIXED', 100 * (1 + k % 5),
         CASE WHEN k % 2 = 0 THEN 10000000 END, CASE WHEN k % 3 = 0 THEN 10000 END, pg_temp.opened()
    FROM generate_series(0, ${COUPONS} - 1) AS k`;

/** What lines are made of, by rank; of this connection. */
export const SHELF = `
  CREATE TEMP TABLE shelf AS
  SELECT r.rank, v.id AS variant_id, v.sku, concat_ws(' ', p.name, nullif(v.name, '')) AS name, v.price
    FROM generate_series(1, (SELECT count(*) FROM variants WHERE store_id = pg_temp.store())) AS r (rank)
    JOIN variants v ON v.store_id = pg_temp.store() AND v.id = pg_temp.person(${KIND.variant}, r.rank)
    JOIN products p ON p.store_id = v.store_id AND p.id = v.product_id`;
