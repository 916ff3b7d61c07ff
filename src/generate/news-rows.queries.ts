import { KIND } from './draw.queries.js';

const NEWS_DAYS = 7;

/** What subscribers would have been told lately, and long since have been. */
const news = (facts: string): string => `
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload, created_at, published_at)
  SELECT pg_temp.store(), kind, id, type, json_build_object('id', id), at, at
    FROM (${facts}) news
   WHERE at > pg_temp.until() - interval '${NEWS_DAYS} days'
   ORDER BY at`;

const BATCH_NEWS = news(`
  SELECT 'order' AS kind, f.order_id AS id, 'order.' || CASE step.version WHEN 1 THEN 'placed' ELSE lower(step.status) END AS type, step.at
    FROM facts f
   CROSS JOIN LATERAL unnest(f.steps, f.times) WITH ORDINALITY AS step (status, at, version)
   UNION ALL
  SELECT 'approval', pg_temp.id_of(${KIND.approval}, r.n, r.asked_at), k.type, k.at
    FROM returns r
   CROSS JOIN LATERAL (
     VALUES ('approval.requested', r.asked_at),
            (CASE r.status WHEN 'SUCCEEDED' THEN 'approval.approved' WHEN 'REJECTED' THEN 'approval.rejected' END, r.decided_at)
   ) AS k (type, at)
   WHERE r.to_approve AND k.type IS NOT NULL
   UNION ALL
  SELECT 'approval', pg_temp.id_of(${KIND.approval}, s.number, s.opened_at), k.type, k.at
    FROM shifts s
   CROSS JOIN LATERAL (VALUES ('approval.requested', s.closing_at), ('approval.approved', s.decided_at)) AS k (type, at)
   WHERE s.missing > 0 AND k.at <= pg_temp.until()
   UNION ALL
  SELECT 'assignment', a.assignment_id, 'assignment.' || k.type, k.at
    FROM attempts a
   CROSS JOIN LATERAL (
     VALUES ('offered', a.offered_at), ('accepted', a.accepted_at), ('delivered', CASE a.status WHEN 'DELIVERED' THEN a.ended_at END)
   ) AS k (type, at)`);

/** Answers are kept for a day. */
const ANSWERS = `
  INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response, created_at)
  SELECT o.store_id, coalesce(o.customer_id::text, 'guest ' || o.id), 'POST /api/orders', 'generated-' || o.id, 'generated', 201,
         order_document(o, true), o.placed_at
    FROM facts f
    JOIN orders o ON o.store_id = pg_temp.store() AND o.id = f.order_id
   WHERE f.placed_at > pg_temp.until() - interval '1 day'`;

export const NEWS_ROWS = [BATCH_NEWS, ANSWERS];

export const CLOSING_NEWS = news(`
  SELECT 'approval' AS kind, id, 'approval.requested' AS type, created_at AS at
    FROM approvals
   WHERE store_id = pg_temp.store() AND kind IN ('WITHDRAWAL', 'LEDGER_ADJUSTMENT')
   UNION ALL
  SELECT 'approval', id, 'approval.' || lower(status), decided_at
    FROM approvals
   WHERE store_id = pg_temp.store() AND kind IN ('WITHDRAWAL', 'LEDGER_ADJUSTMENT')`);
