-- Asks for approval in the transaction of what waits for it. The number of approvers is the store's of this moment.
-- p_payload: what an approver has to know; ids and words, no secrets.
CREATE FUNCTION request_approval(
  p_store uuid, p_kind text, p_subject uuid, p_amount bigint, p_currency text, p_reason text, p_payload json, p_actor uuid
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid := uuid_v7();
BEGIN
  INSERT INTO approvals (store_id, id, kind, subject_id, amount, currency, reason, payload, requested_by, required)
  SELECT p_store, v_id, p_kind, p_subject, p_amount, p_currency, p_reason, p_payload, p_actor, s.approvals_required
    FROM stores s
   WHERE s.id = p_store;
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    p_store, 'approval', v_id, 'approval.requested',
    json_build_object(
      'approvalId', v_id, 'kind', p_kind, 'subjectId', p_subject, 'amount', money(p_amount, p_currency),
      'requestedBy', p_actor
    )
  );
  RETURN v_id;
END $$;

-- What was asked for stays as it was asked, and a decision that has been made is never taken back.
CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'PENDING' THEN
    RAISE EXCEPTION 'approval % has been decided', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.store_id, NEW.id, NEW.kind, NEW.subject_id, NEW.amount, NEW.currency, NEW.reason, NEW.payload::text,
      NEW.requested_by, NEW.required, NEW.created_at)
     IS DISTINCT FROM
     (OLD.store_id, OLD.id, OLD.kind, OLD.subject_id, OLD.amount, OLD.currency, OLD.reason, OLD.payload::text,
      OLD.requested_by, OLD.required, OLD.created_at) THEN
    RAISE EXCEPTION 'what an approval is asked for never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approvals_guard BEFORE UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION guard_approval();

-- Four eyes, said in the database too.
CREATE FUNCTION guard_approval_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1
     FROM approvals a
    WHERE a.store_id = NEW.store_id AND a.id = NEW.approval_id AND a.requested_by = NEW.approver_id;
  IF FOUND THEN
    RAISE EXCEPTION 'nobody decides on his own request' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_decisions_guard BEFORE INSERT ON approval_decisions
  FOR EACH ROW EXECUTE FUNCTION guard_approval_decision();
