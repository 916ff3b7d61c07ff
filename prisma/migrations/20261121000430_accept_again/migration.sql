-- H6, as before; but an agent whose answer was lost on its way and who asks again is told that he has it, HAS_IT, and not that
-- it is gone.
CREATE OR REPLACE FUNCTION accept_assignment(
  p_store uuid, p_assignment uuid, p_agent uuid, OUT outcome text, OUT waited_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_offer shipping_assignments;
  v_agent delivery_agents;
BEGIN
  BEGIN
    SELECT * INTO v_offer
      FROM shipping_assignments a
     WHERE a.store_id = p_store AND a.id = p_assignment
       FOR NO KEY UPDATE NOWAIT;
  EXCEPTION WHEN lock_not_available THEN
    outcome := 'ASSIGNMENT_CONFLICT';
    RETURN;
  END;
  IF v_offer.id IS NULL OR (v_offer.status = 'OFFERED' AND v_offer.agent_id <> p_agent) THEN
    outcome := 'NOT_FOUND';
    RETURN;
  END IF;
  IF v_offer.status <> 'OFFERED' THEN
    outcome := CASE WHEN v_offer.status = 'ACCEPTED' AND v_offer.agent_id = p_agent THEN 'HAS_IT' ELSE 'ASSIGNMENT_TAKEN' END;
    RETURN;
  END IF;
  IF v_offer.offer_expires_at <= now() THEN
    outcome := 'ASSIGNMENT_EXPIRED';
    RETURN;
  END IF;
  SELECT * INTO v_agent FROM delivery_agents d WHERE d.store_id = p_store AND d.id = p_agent FOR NO KEY UPDATE;
  IF v_agent.id IS NULL OR v_agent.status <> 'ONLINE' OR NOT v_offer.zip = ANY (v_agent.service_zip_codes) THEN
    outcome := 'AGENT_NOT_ELIGIBLE';
    RETURN;
  END IF;
  IF agent_exposure(p_store, p_agent, v_offer.currency)
     >= (SELECT s.agent_float_limit FROM stores s WHERE s.id = p_store) THEN
    outcome := 'FLOAT_LIMIT_REACHED';
    RETURN;
  END IF;
  UPDATE shipping_assignments a
     SET status = 'ACCEPTED', agent_id = p_agent, accepted_at = clock_timestamp()
   WHERE a.store_id = p_store AND a.id = p_assignment;
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    p_store, 'assignment', p_assignment, 'assignment.accepted',
    json_build_object('assignmentId', p_assignment, 'orderId', v_offer.order_id, 'agentId', p_agent)
  );
  outcome := 'ACCEPTED';
  waited_ms := (extract(epoch FROM clock_timestamp() - v_offer.offered_at) * 1000)::bigint;
END $$;
