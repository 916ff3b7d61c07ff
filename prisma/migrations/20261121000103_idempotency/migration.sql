-- DESIGN 5.1. An advisory lock for the time of the transaction tells "still running" without waiting; the row, written in
-- the same transaction as the effect, tells "done". A crash leaves neither.
-- outcome: NEW (go on, then call idempotency_finish), REPLAY (answer again), REUSED (other body), RUNNING.
CREATE FUNCTION idempotency_begin(
  p_store uuid, p_principal text, p_route text, p_key text, p_fingerprint text,
  OUT outcome text, OUT status_code smallint, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  done idempotency_keys;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', p_store, p_principal, p_route, p_key), 0)) THEN
    outcome := 'RUNNING';
    RETURN;
  END IF;
  SELECT * INTO done
    FROM idempotency_keys k
   WHERE k.store_id = p_store AND k.principal = p_principal AND k.route = p_route AND k.key = p_key;
  IF NOT FOUND THEN
    outcome := 'NEW';
  ELSIF done.fingerprint <> p_fingerprint THEN
    outcome := 'REUSED';
  ELSE
    outcome := 'REPLAY';
    status_code := done.status_code;
    response := done.response;
  END IF;
END $$;

CREATE FUNCTION idempotency_finish(
  p_store uuid, p_principal text, p_route text, p_key text, p_fingerprint text, p_status_code int, p_response json
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO idempotency_keys (store_id, principal, route, key, fingerprint, status_code, response)
  VALUES (p_store, p_principal, p_route, p_key, p_fingerprint, p_status_code, p_response);
END $$;
