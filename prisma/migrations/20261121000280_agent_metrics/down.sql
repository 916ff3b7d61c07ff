DROP TRIGGER assignment_rejections_append_only ON assignment_rejections;
CREATE OR REPLACE FUNCTION keep_assignment_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.offered_at <> OLD.offered_at OR NEW.promised_at <> OLD.promised_at
    OR (OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at)
    OR (OLD.picked_up_at IS NOT NULL AND NEW.picked_up_at IS DISTINCT FROM OLD.picked_up_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
  THEN
    RAISE EXCEPTION 'times of an assignment are written once' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
DROP INDEX idx_shipping_assignments_closed;
DROP INDEX idx_shipping_assignments_agent_closed;
DROP INDEX "idx_assignment_rejections_created";
DROP INDEX "idx_assignment_rejections_agent";
