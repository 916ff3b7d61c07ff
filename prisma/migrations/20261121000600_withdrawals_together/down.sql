-- As move_money(), from a wallet to PSP_CLEARING (p_to); above the threshold to PAYOUTS_PENDING, with a request for approval.
-- One statement either way.
CREATE OR REPLACE FUNCTION withdraw_money(
  p_store uuid, p_actor uuid, p_route text, p_key text, p_fingerprint text, p_refusal text,
  p_reference text, p_from uuid, p_to uuid, p_amount bigint, p_currency text,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  v_waits CONSTANT boolean := p_amount > (SELECT s.withdrawal_approval_threshold FROM stores s WHERE s.id = p_store);
  v_id uuid := uuid_v7();
  v_approval uuid;
BEGIN
  SELECT m.outcome, m.status_code, m.response
    INTO outcome, status_code, response
    FROM move_money(
           p_store, p_actor, p_route, p_key, p_fingerprint, p_refusal, 'WITHDRAWAL', p_reference, p_from,
           CASE WHEN v_waits THEN wallet_of(p_store, 'PAYOUTS_PENDING', p_store, p_currency) ELSE p_to END,
           p_amount, p_currency
         ) m;
  IF outcome <> 'MOVED' OR NOT v_waits THEN
    RETURN;
  END IF;
  INSERT INTO withdrawals (store_id, id, wallet_id, amount, currency, status, actor_id)
  VALUES (p_store, v_id, p_from, p_amount, p_currency, 'REQUESTED', p_actor);
  v_approval := request_approval(
    p_store, 'WITHDRAWAL', v_id, p_amount, p_currency, 'withdrawal', json_build_object('walletId', p_from), p_actor
  );
  response := response::jsonb || jsonb_build_object(
    'withdrawal', jsonb_build_object('id', v_id, 'status', 'REQUESTED', 'approvalId', v_approval)
  );
  UPDATE idempotency_keys k
     SET response = withdraw_money.response
   WHERE k.store_id = p_store AND k.principal = p_actor::text AND k.route = p_route AND k.key = p_key;
END $$;
