import type { ClaimGroup } from './claim.js';

export const APPROVALS: ClaimGroup = {
  name: 'approvals',
  claims: [
    {
      name: 'a request counts the approvals it was given, and a rejection ends it',
      sql: `
        SELECT a.store_id, a.id AS approval_id, a.status, a.required, a.approved,
               coalesce(d.approved, 0) AS decided_for, coalesce(d.rejected, 0) AS decided_against
          FROM approvals a
          LEFT JOIN (
            SELECT store_id, approval_id,
                   count(*) FILTER (WHERE decision = 'APPROVED') AS approved,
                   count(*) FILTER (WHERE decision = 'REJECTED') AS rejected
              FROM approval_decisions
             GROUP BY store_id, approval_id
          ) d ON d.store_id = a.store_id AND d.approval_id = a.id
         WHERE a.approved <> coalesce(d.approved, 0)
            OR a.status <> CASE WHEN d.rejected > 0 THEN 'REJECTED' WHEN a.approved >= a.required THEN 'APPROVED' ELSE 'PENDING' END
            OR d.rejected > 1 OR (a.status = 'PENDING') <> (a.decided_at IS NULL)`,
    },
    {
      name: 'nobody decided on his own request',
      sql: `
        SELECT a.store_id, a.id AS approval_id, a.kind, a.requested_by
          FROM approvals a
          JOIN approval_decisions d
            ON d.store_id = a.store_id AND d.approval_id = a.id AND d.approver_id = a.requested_by`,
    },
    {
      name: 'a refund that had to be approved is where its approval is',
      sql: `
        SELECT a.store_id, a.id AS approval_id, a.status, r.id AS refund_id, r.status AS refund
          FROM approvals a
          LEFT JOIN refunds r ON r.store_id = a.store_id AND r.id = a.subject_id
         WHERE a.kind = 'REFUND'
           AND (r.id IS NULL OR r.amount <> a.amount OR NOT r.status = ANY (
             CASE a.status
               WHEN 'PENDING' THEN ARRAY['REQUESTED']
               WHEN 'REJECTED' THEN ARRAY['REJECTED']
               ELSE ARRAY['APPROVED', 'PROCESSING', 'SUCCEEDED', 'FAILED']
             END
           ))`,
    },
    {
      name: 'every request and every decision of the last day was told once',
      sql: `
        SELECT store_id, approval_id, type, sum(facts) AS facts, sum(events) AS events
          FROM (
            SELECT store_id, id AS approval_id, 'approval.requested' AS type, 1 AS facts, 0 AS events
              FROM approvals
             WHERE created_at > now() - interval '1 day'
             UNION ALL
            SELECT store_id, id, 'approval.' || lower(status), 1, 0
              FROM approvals
             WHERE decided_at > now() - interval '1 day'
             UNION ALL
            SELECT store_id, aggregate_id, type, 0, 1
              FROM outbox_events
             WHERE aggregate_type = 'approval' AND created_at > now() - interval '1 day'
          ) told
         GROUP BY store_id, approval_id, type
        HAVING sum(facts) <> sum(events)`,
    },
  ],
};
