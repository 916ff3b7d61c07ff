import type pg from 'pg';

/** One zone of all the store's zip codes, and four windows on each of the coming days. */
export async function insertSlots(client: pg.Client, storeId: string, days: number): Promise<void> {
  await client.query(
    `WITH zone AS (
       INSERT INTO delivery_zones (store_id, id, name, zip_codes)
       SELECT id, uuid_v7(), 'Everywhere', service_zip_codes FROM stores WHERE id = $1
       RETURNING store_id, id
     )
     INSERT INTO delivery_slots (store_id, id, zone_id, starts_at, ends_at, cutoff_at, capacity)
     SELECT zone.store_id, uuid_v7(), zone.id, t.starts_at, t.starts_at + interval '3 hours', t.starts_at - interval '1 hour', 50
       FROM zone
       JOIN stores s ON s.id = zone.store_id
      CROSS JOIN generate_series(0, $2::int - 1) AS day
      CROSS JOIN unnest(ARRAY[9, 12, 15, 18]) AS hour
      CROSS JOIN LATERAL (
        SELECT ((now() AT TIME ZONE s.timezone)::date + day + make_time(hour, 0, 0)) AT TIME ZONE s.timezone AS starts_at
      ) t
      ORDER BY t.starts_at`,
    [storeId, days],
  );
}

/** WELCOME10, once for each customer; FIVEOFF from 20.00 on, a thousand times; FREEDEL. */
export async function insertCoupons(client: pg.Client, storeId: string): Promise<void> {
  await client.query(
    `INSERT INTO coupons (store_id, id, code, kind, value, minimum, usage_limit, customer_limit)
     VALUES ($1, uuid_v7(), 'WELCOME10', 'PERCENTAGE', 100000, 0, NULL, 1),
            ($1, uuid_v7(), 'FIVEOFF', 'FIXED', 500, 2000, 1000, NULL),
            ($1, uuid_v7(), 'FREEDEL', 'FREE_DELIVERY', 0, 0, NULL, NULL)`,
    [storeId],
  );
}
