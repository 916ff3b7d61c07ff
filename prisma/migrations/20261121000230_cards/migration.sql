-- AlterTable
ALTER TABLE "payment_operations" ADD COLUMN     "action_required" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "provider_ref" TEXT;

-- CreateTable
CREATE TABLE "test_provider_payments" (
    "store_id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "ref" TEXT NOT NULL,
    "card" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "captured_amount" BIGINT NOT NULL DEFAULT 0,
    "refunded_amount" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "test_provider_payments_pkey" PRIMARY KEY ("store_id","payment_id")
);

-- CreateTable
CREATE TABLE "test_provider_requests" (
    "store_id" UUID NOT NULL,
    "key" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "outcome" JSON NOT NULL,
    "asked" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "test_provider_requests_pkey" PRIMARY KEY ("store_id","key")
);

-- CreateIndex
CREATE INDEX "idx_test_provider_requests_payment" ON "test_provider_requests"("store_id", "payment_id");

-- AddForeignKey
ALTER TABLE "test_provider_payments" ADD CONSTRAINT "test_provider_payments_store_id_payment_id_fkey" FOREIGN KEY ("store_id", "payment_id") REFERENCES "payments"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "test_provider_requests" ADD CONSTRAINT "test_provider_requests_store_id_payment_id_fkey" FOREIGN KEY ("store_id", "payment_id") REFERENCES "test_provider_payments"("store_id", "payment_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- A payment's own authorisation is voided once; one that it has nothing to do with any more is a case of its own.
DROP INDEX payment_operations_void_key;
CREATE UNIQUE INDEX payment_operations_void_key ON payment_operations (store_id, payment_id, coalesce(provider_ref, ''))
  WHERE kind = 'VOID' AND status <> 'FAILED';
-- One thing at a time: whether a payment is being authorised, captured or voided is never a question of who calls first.
CREATE UNIQUE INDEX payment_operations_running_key ON payment_operations (store_id, payment_id)
  WHERE status = 'PENDING' AND kind <> 'REFUND' AND provider_ref IS NULL;

-- What is deleted some day.
CREATE INDEX idx_provider_events_processed ON provider_events (processed_at) WHERE processed_at IS NOT NULL;

ALTER TABLE test_provider_payments
  ADD CONSTRAINT test_provider_payments_status_check CHECK (
    status IN ('WAITING', 'ACTION_REQUIRED', 'PROCESSING', 'AUTHORIZED', 'CAPTURED', 'VOIDED')
  ),
  ADD CONSTRAINT test_provider_payments_amounts_check CHECK (
    captured_amount IN (0, amount) AND refunded_amount BETWEEN 0 AND captured_amount
  );

-- What the sweeper is to ask again: operations that are due, of all stores, each for one sweeper.
CREATE FUNCTION claim_payment_operations(p_limit int, p_lease_ms int) RETURNS TABLE (store_id uuid, id uuid)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  UPDATE payment_operations op
     SET attempts = least(op.attempts + 1, 32000),
         next_attempt_at = now() + p_lease_ms * interval '1 millisecond'
    FROM (
      SELECT d.store_id, d.id
        FROM payment_operations d
       WHERE d.status = 'PENDING' AND d.next_attempt_at <= now()
       ORDER BY d.next_attempt_at
       LIMIT p_limit
         FOR UPDATE SKIP LOCKED
    ) due
   WHERE op.store_id = due.store_id AND op.id = due.id
  RETURNING op.store_id, op.id;
END $$;

-- Keeps news of a provider, once, and has a job look what they mean. Found by the provider's own id of the payment, else by
-- what Larder gave it along. RECEIVED, DUPLICATE, or UNKNOWN: nobody's here, kept aside.
CREATE FUNCTION receive_provider_event(
  p_provider text, p_event text, p_type text, p_payload json, p_store uuid, p_payment uuid, p_ref text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_payment payments;
BEGIN
  SELECT * INTO v_payment FROM payments p WHERE p.provider = p_provider AND p.provider_ref = p_ref;
  IF NOT FOUND THEN
    SELECT * INTO v_payment FROM payments p WHERE p.store_id = p_store AND p.id = p_payment AND p.provider = p_provider;
  END IF;
  INSERT INTO provider_events (provider, event_id, store_id, type, payload, processed_at)
  VALUES (
    p_provider, p_event, v_payment.store_id, p_type, p_payload, CASE WHEN v_payment.id IS NULL THEN now() END
  )
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'DUPLICATE';
  ELSIF v_payment.id IS NULL THEN
    RETURN 'UNKNOWN';
  END IF;
  PERFORM enqueue_job(
    v_payment.store_id, 'payments.look',
    json_build_object('paymentId', v_payment.id, 'ref', p_ref, 'provider', p_provider, 'eventId', p_event)
  );
  RETURN 'RECEIVED';
END $$;

-- The built-in test provider: a card network that is always there and does what its cards say (docs/payments.md). One row is
-- one payment; a key is answered as it was the first time. Answers and news are those of any other provider.
CREATE FUNCTION test_provider_tell(p test_provider_payments, p_type text, p_key uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM enqueue_job(
    p.store_id, 'payments.test-webhook',
    json_build_object('eventId', 'test_' || p_type || '_' || p_key, 'type', p_type, 'ref', p.ref, 'paymentId', p.payment_id)
  );
END $$;

CREATE FUNCTION test_provider_ask(
  p_store uuid, p_key uuid, p_kind text, p_payment uuid, p_card text, p_amount bigint
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_payment test_provider_payments;
  v_request test_provider_requests;
  v_failure text;
  v_outcome json;
BEGIN
  INSERT INTO test_provider_payments (store_id, payment_id, ref, card, status, amount)
  VALUES (p_store, p_payment, 'test_' || p_payment, coalesce(p_card, 'tok_none'), 'WAITING', p_amount)
  ON CONFLICT DO NOTHING;
  SELECT * INTO v_payment
    FROM test_provider_payments t
   WHERE t.store_id = p_store AND t.payment_id = p_payment
     FOR UPDATE;
  INSERT INTO test_provider_requests AS r (store_id, key, payment_id, kind, amount, outcome)
  VALUES (p_store, p_key, p_payment, p_kind, p_amount, '{"result": "UNKNOWN", "code": "TIMEOUT"}')
  ON CONFLICT (store_id, key) DO UPDATE SET asked = r.asked + 1
  RETURNING * INTO v_request;
  IF v_request.outcome ->> 'result' <> 'UNKNOWN' THEN
    RETURN v_request.outcome;
  END IF;
  -- The request is lost on its way.
  IF p_card = 'tok_request_lost' AND v_request.asked = 1 THEN
    RETURN v_request.outcome;
  END IF;

  CASE p_kind
    WHEN 'AUTHORIZE' THEN
      IF v_payment.status IN ('WAITING', 'ACTION_REQUIRED') THEN
        v_payment.card := p_card;
        v_failure := CASE p_card WHEN 'tok_declined' THEN 'card_declined' WHEN 'tok_insufficient_funds' THEN 'insufficient_funds' END;
        v_payment.status := CASE
          WHEN v_failure IS NOT NULL THEN 'WAITING'
          WHEN p_card = 'tok_challenge' THEN 'ACTION_REQUIRED'
          WHEN p_card = 'tok_slow_bank' THEN 'PROCESSING'
          ELSE 'AUTHORIZED'
        END;
        IF v_payment.status = 'PROCESSING' THEN
          -- It answers when no order waits any more.
          PERFORM enqueue_job(
            p_store, 'payments.test-bank', json_build_object('ref', v_payment.ref, 'approved', true),
            now() + make_interval(mins => 1 + (SELECT s.payment_minutes FROM stores s WHERE s.id = p_store))
          );
        ELSE
          PERFORM test_provider_tell(v_payment, 'payment.' || lower(v_payment.status), p_key);
        END IF;
      ELSIF v_payment.status NOT IN ('PROCESSING', 'AUTHORIZED', 'CAPTURED') THEN
        v_failure := v_payment.status;
      END IF;
      v_outcome := CASE
        WHEN v_failure IS NOT NULL THEN json_build_object('result', 'FAILED', 'code', v_failure, 'ref', v_payment.ref)
        WHEN v_payment.status = 'PROCESSING' THEN json_build_object('result', 'UNKNOWN', 'code', 'PROCESSING')
        WHEN v_payment.status = 'ACTION_REQUIRED' THEN json_build_object('result', 'ACTION_REQUIRED', 'ref', v_payment.ref)
        ELSE json_build_object('result', 'SUCCEEDED', 'ref', v_payment.ref)
      END;
    WHEN 'CAPTURE' THEN
      IF v_payment.status = 'AUTHORIZED' AND v_payment.card = 'tok_capture_fails' THEN
        v_payment.status := 'VOIDED';
        v_failure := 'authorization_expired';
      ELSIF v_payment.status = 'AUTHORIZED' THEN
        v_payment.status := 'CAPTURED';
        v_payment.captured_amount := v_payment.amount;
        PERFORM test_provider_tell(v_payment, 'payment.captured', p_key);
      ELSIF v_payment.status <> 'CAPTURED' THEN
        v_failure := v_payment.status;
      END IF;
    WHEN 'VOID' THEN
      IF v_payment.status = 'CAPTURED' THEN
        v_failure := 'CAPTURED';
      ELSIF v_payment.status <> 'VOIDED' THEN
        v_payment.status := 'VOIDED';
        PERFORM test_provider_tell(v_payment, 'payment.voided', p_key);
      END IF;
    WHEN 'REFUND' THEN
      IF v_payment.card = 'tok_refund_fails' THEN
        v_failure := 'expired_or_canceled_card';
      ELSIF v_payment.refunded_amount + p_amount > v_payment.captured_amount THEN
        v_failure := 'amount_too_large';
      ELSE
        v_payment.refunded_amount := v_payment.refunded_amount + p_amount;
        PERFORM test_provider_tell(v_payment, 'refund.succeeded', p_key);
      END IF;
  END CASE;
  v_outcome := coalesce(v_outcome, CASE
    WHEN v_failure IS NOT NULL THEN json_build_object('result', 'FAILED', 'code', v_failure)
    ELSE json_build_object('result', 'SUCCEEDED', 'ref', CASE p_kind WHEN 'REFUND' THEN 'test_refund_' || p_key ELSE v_payment.ref END)
  END);
  UPDATE test_provider_payments t
     SET card = v_payment.card, status = v_payment.status, captured_amount = v_payment.captured_amount,
         refunded_amount = v_payment.refunded_amount
   WHERE t.store_id = p_store AND t.payment_id = p_payment;
  UPDATE test_provider_requests r SET outcome = v_outcome WHERE r.store_id = p_store AND r.key = p_key;
  -- Done, and its answer is lost on its way.
  IF p_card = 'tok_answer_lost' AND v_request.asked = 1 THEN
    RETURN v_request.outcome;
  END IF;
  RETURN v_outcome;
END $$;

-- The customer's bank makes up its mind. False when it wasn't asked, or has answered.
CREATE FUNCTION test_bank_answer(p_store uuid, p_ref text, p_approved boolean) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_payment test_provider_payments;
BEGIN
  UPDATE test_provider_payments t
     SET status = CASE WHEN p_approved THEN 'AUTHORIZED' ELSE 'WAITING' END
   WHERE t.store_id = p_store AND t.ref = p_ref AND t.status IN ('ACTION_REQUIRED', 'PROCESSING')
  RETURNING * INTO v_payment;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF NOT p_approved THEN
    UPDATE test_provider_requests r
       SET outcome = json_build_object('result', 'FAILED', 'code', 'card_declined', 'ref', p_ref)
     WHERE r.store_id = p_store AND r.payment_id = v_payment.payment_id AND r.kind = 'AUTHORIZE'
       AND r.outcome ->> 'result' = 'UNKNOWN';
  END IF;
  PERFORM test_provider_tell(v_payment, CASE WHEN p_approved THEN 'payment.authorized' ELSE 'payment.declined' END, uuid_v7());
  RETURN true;
END $$;
