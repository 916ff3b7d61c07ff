/** What left the shelf and what came back, with its reason; and at the head of each day what had to be bought in for it. */
export const MOVEMENTS = `
  SELECT n, variant_id, delta, reason, order_id, at
    FROM (
      SELECT l.n, l.variant_id, -l.quantity AS delta, 'SALE' AS reason, f.order_id, f.first_pickup_at AS at
        FROM facts f
        JOIN lines l USING (n)
       WHERE f.shipped
       UNION ALL
      SELECT l.n, l.variant_id, l.quantity, 'RETURN', f.order_id, f.stands_since
        FROM facts f
        JOIN lines l USING (n)
       WHERE f.status = 'RETURNED'
       UNION ALL
      SELECT n, variant_id, quantity, 'RETURN', order_id, finished_at
        FROM returns
       WHERE by_line AND status = 'SUCCEEDED' AND goods <> 'KEEP'
       UNION ALL
      SELECT n, variant_id, -quantity, 'DAMAGE', order_id, finished_at
        FROM returns
       WHERE by_line AND status = 'SUCCEEDED' AND goods = 'SCRAP'
       UNION ALL
      SELECT -1, l.variant_id, sum(l.quantity), 'RECEIPT', NULL, (f.day + time '07:00') AT TIME ZONE pg_temp.zone()
        FROM facts f
        JOIN lines l USING (n)
       WHERE f.status NOT IN ('CANCELLED', 'EXPIRED', 'RETURNED')
       GROUP BY f.day, l.variant_id
    ) moved`;

export const MOVEMENT_ROWS = `
  INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id, created_at)
  SELECT pg_temp.store(), variant_id, delta, reason, order_id, at FROM movements ORDER BY n, at`;

export const STOCK_COUNTS = [
  'SELECT 1 FROM stock_levels WHERE store_id = pg_temp.store() ORDER BY variant_id FOR NO KEY UPDATE',
  `UPDATE stock_levels s
      SET on_hand = s.on_hand + coalesce(m.moved, 0), reserved = s.reserved + coalesce(r.wanted, 0)
     FROM shelf
     LEFT JOIN (SELECT variant_id, sum(delta) AS moved FROM movements GROUP BY variant_id) m USING (variant_id)
     LEFT JOIN (
       SELECT l.variant_id, sum(l.quantity) AS wanted
         FROM lines l
         JOIN facts f USING (n)
        WHERE f.status IN ('PENDING', 'CONFIRMED', 'PREPARING')
        GROUP BY l.variant_id
     ) r USING (variant_id)
    WHERE s.store_id = pg_temp.store() AND s.variant_id = shelf.variant_id AND (m.moved IS NOT NULL OR r.wanted IS NOT NULL)`,
];
