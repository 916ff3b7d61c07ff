/**
 * Days that dashboards read from their rollups. An order or attempt is of the day that the clocks of the store's zone show: said
 * without the bounds of days, another way than the rollups were made.
 */
export const FOLDED = `
  folded AS MATERIALIZED (
    SELECT r.store_id, r.day
      FROM rollup_days r
      JOIN stores s ON s.id = r.store_id AND s.timezone = r.timezone
    EXCEPT
    SELECT m.store_id, (m.at AT TIME ZONE s.timezone)::date
      FROM rollup_marks m
      JOIN stores s ON s.id = m.store_id
  )`;
