-- What agents' metrics are computed from: written once, and found by agent or store and time. docs/metrics.md defines them.

CREATE INDEX "idx_assignment_rejections_agent" ON "assignment_rejections"("store_id", "agent_id", "created_at");
CREATE INDEX "idx_assignment_rejections_created" ON "assignment_rejections"("store_id", "created_at");
-- An assignment counts in the range that it ended in; one that nobody took is nobody's.
CREATE INDEX idx_shipping_assignments_agent_closed ON shipping_assignments (store_id, agent_id, closed_at)
  WHERE closed_at IS NOT NULL AND agent_id IS NOT NULL;
CREATE INDEX idx_shipping_assignments_closed ON shipping_assignments (store_id, closed_at)
  WHERE closed_at IS NOT NULL AND agent_id IS NOT NULL;

-- Written once: what an agent's metrics are computed from. What has ended stays as it ended, and whose it was.
CREATE OR REPLACE FUNCTION keep_assignment_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.offered_at <> OLD.offered_at OR NEW.promised_at <> OLD.promised_at
    OR (OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at)
    OR (OLD.picked_up_at IS NOT NULL AND NEW.picked_up_at IS DISTINCT FROM OLD.picked_up_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
    OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at)
  THEN
    RAISE EXCEPTION 'times of an assignment are written once' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.closed_at IS NOT NULL
    AND (NEW.status, NEW.agent_id, NEW.accepted_at, NEW.picked_up_at, NEW.delivered_at, NEW.cash_collected, NEW.shift_id)
        IS DISTINCT FROM
        (OLD.status, OLD.agent_id, OLD.accepted_at, OLD.picked_up_at, OLD.delivered_at, OLD.cash_collected, OLD.shift_id)
  THEN
    RAISE EXCEPTION 'an assignment that has ended stays as it ended' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER assignment_rejections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_rejections
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
