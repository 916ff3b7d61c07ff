-- Cash at the door, shifts that are counted, the float limit, offers that run out. docs/cash.md has the rules.

ALTER TABLE "stores" ADD COLUMN     "offer_rounds" SMALLINT NOT NULL DEFAULT 5;
ALTER TABLE "shipping_assignments" ADD COLUMN     "round" SMALLINT NOT NULL DEFAULT 1,
ADD COLUMN     "short_reason" TEXT;
ALTER TABLE "agent_shifts" ADD COLUMN     "charged" BIGINT NOT NULL DEFAULT 0;
CREATE TABLE "payment_settlements" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "actor_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_settlements_pkey" PRIMARY KEY ("store_id","id")
);
CREATE INDEX "idx_payment_settlements_payment" ON "payment_settlements"("store_id", "payment_id");
-- What was offered of an order before, and to whom.
CREATE INDEX "idx_shipping_assignments_order" ON "shipping_assignments"("store_id", "order_id");
ALTER TABLE "payment_settlements" ADD CONSTRAINT "payment_settlements_store_id_payment_id_fkey" FOREIGN KEY ("store_id", "payment_id") REFERENCES "payments"("store_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE stores ADD CONSTRAINT stores_offer_rounds_check CHECK (offer_rounds BETWEEN 1 AND 100);
ALTER TABLE shipping_assignments
  ADD CONSTRAINT shipping_assignments_round_check CHECK (round >= 1),
  ADD CONSTRAINT shipping_assignments_closed_check CHECK (
    (closed_at IS NULL) = (status IN ('OFFERED', 'ACCEPTED', 'PICKED_UP'))
  ),
  ADD CONSTRAINT shipping_assignments_short_check CHECK (
    short_reason IS NULL OR (char_length(short_reason) BETWEEN 1 AND 500 AND cash_collected BETWEEN 1 AND cash_due - 1)
  );
ALTER TABLE payment_settlements ADD CONSTRAINT payment_settlements_amount_check CHECK (amount > 0);
CREATE TRIGGER payment_settlements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_settlements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE agent_shifts
  ADD CONSTRAINT agent_shifts_amounts_check CHECK (opening_cash >= 0 AND charged >= 0 AND expected >= 0),
  ADD CONSTRAINT agent_shifts_expected_check CHECK ((counted IS NULL) = (expected IS NULL)),
  ADD CONSTRAINT agent_shifts_times_check CHECK (
    (status = 'OPEN') = (counted_at IS NULL) AND (status = 'OPEN') = (counted_by IS NULL)
    AND (status = 'CLOSED') = (closed_at IS NOT NULL)
  ),
  ADD CONSTRAINT agent_shifts_variance_check CHECK (status <> 'COUNTED' OR counted <> expected);
CREATE INDEX idx_agent_shifts_counted ON agent_shifts (store_id, agent_id) WHERE status = 'COUNTED';

-- A count that was written down is not changed afterwards; a shift only goes on to be closed.
CREATE FUNCTION guard_shift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'CLOSED'
    OR (NEW.store_id, NEW.id, NEW.agent_id, NEW.currency, NEW.opening_cash, NEW.opened_at)
       IS DISTINCT FROM (OLD.store_id, OLD.id, OLD.agent_id, OLD.currency, OLD.opening_cash, OLD.opened_at)
    OR (OLD.status = 'COUNTED'
        AND (NEW.expected, NEW.counted, NEW.counted_at, NEW.counted_by, NEW.charged)
            IS DISTINCT FROM (OLD.expected, OLD.counted, OLD.counted_at, OLD.counted_by, OLD.charged))
  THEN
    RAISE EXCEPTION 'what was counted of shift % stays', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER agent_shifts_guard BEFORE UPDATE ON agent_shifts FOR EACH ROW EXECUTE FUNCTION guard_shift();
CREATE TRIGGER agent_shifts_keep BEFORE DELETE OR TRUNCATE ON agent_shifts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Agents who hold cash are in a shift: those who held some before there were shifts too.
INSERT INTO agent_shifts (store_id, id, agent_id, currency, opening_cash)
SELECT d.store_id, uuid_v7(), d.id, w.currency, -w.balance
  FROM delivery_agents d
  JOIN wallets w ON w.store_id = d.store_id AND w.kind = 'AGENT_CASH' AND w.owner_id = d.id AND w.balance < 0;

-- What an agent answers for, minor units: the cash he holds, and what he will collect with parcels that he has taken. Read in
-- one statement: a delivery that commits meanwhile is seen on one side or on the other, never on both or on none.
CREATE FUNCTION agent_exposure(p_store uuid, p_agent uuid, p_currency text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(
             (SELECT -w.balance
                FROM wallets w
               WHERE w.store_id = p_store AND w.kind = 'AGENT_CASH' AND w.owner_id = p_agent AND w.currency = p_currency),
             0)
         + coalesce(
             (SELECT sum(a.cash_due)
                FROM shipping_assignments a
               WHERE a.store_id = p_store AND a.agent_id = p_agent AND a.status IN ('ACCEPTED', 'PICKED_UP')),
             0)
  );
END $$;

-- H6, as before; the float limit now counts the cash that is under way too, so an agent's own acceptances take turns on his
-- row. Locks the assignment without waiting, then the agent. A delivery that is under way is never stopped.
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
    outcome := 'ASSIGNMENT_TAKEN';
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
DROP FUNCTION agent_cash(uuid, uuid, text);

-- Whatever moves or counts an agent's cash begins here: his cash wallet is locked, so that it happens in his open shift or in
-- the next one, never in between. p_open: opens one when none is open. Finds nothing when there is no such agent.
-- cash: in his hand by the ledger, of which pending was found missing at a count and waits for a decision.
CREATE FUNCTION lock_agent_till(
  p_store uuid, p_agent uuid, p_open boolean,
  OUT currency text, OUT cash bigint, OUT pending bigint, OUT shift_id uuid
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT w.currency, -w.balance
    INTO currency, cash
    FROM delivery_agents d
    JOIN stores s ON s.id = d.store_id
    JOIN wallets w
      ON w.store_id = d.store_id AND w.kind = 'AGENT_CASH' AND w.owner_id = d.id AND w.currency = s.currency
   WHERE d.store_id = p_store AND d.id = p_agent
     FOR NO KEY UPDATE OF w;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- A statement of its own: what was committed while this one waited is seen. No more than there is: somebody may have
  -- corrected the books by hand.
  SELECT least(coalesce(sum(s.expected - s.counted), 0), cash)
    INTO pending
    FROM agent_shifts s
   WHERE s.store_id = p_store AND s.agent_id = p_agent AND s.status = 'COUNTED' AND s.counted < s.expected;
  SELECT s.id
    INTO shift_id
    FROM agent_shifts s
   WHERE s.store_id = p_store AND s.agent_id = p_agent AND s.status = 'OPEN';
  IF shift_id IS NULL AND p_open THEN
    shift_id := uuid_v7();
    INSERT INTO agent_shifts (store_id, id, agent_id, currency, opening_cash, opened_at)
    VALUES (p_store, shift_id, p_agent, currency, cash - pending, clock_timestamp());
    INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
    VALUES (
      p_store, 'agent', p_agent, 'agent.shift_opened', json_build_object('agentId', p_agent, 'shiftId', shift_id)
    );
  END IF;
END $$;

-- An agent is at the door: his parcel and his till are locked, in this order, and the store says what it asks of him.
-- Finds nothing when the parcel is not his.
CREATE FUNCTION lock_delivery(p_store uuid, p_assignment uuid, p_agent uuid)
RETURNS TABLE (status text, delivery_proof text, agent_fee bigint, overpayment_limit bigint, shift_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
  v_status text;
BEGIN
  SELECT a.status
    INTO v_status
    FROM shipping_assignments a
   WHERE a.store_id = p_store AND a.id = p_assignment AND a.agent_id = p_agent
     FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT v_status, s.delivery_proof, s.agent_fee, s.overpayment_limit, t.shift_id
    FROM stores s
   CROSS JOIN lock_agent_till(p_store, p_agent, true) t
   WHERE s.id = p_store;
END $$;

-- Tells the world of a step of an assignment, as it is after it: UPDATE ... RETURNING tell_assignment(a). Returns its id.
CREATE FUNCTION tell_assignment(a shipping_assignments) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    a.store_id, 'assignment', a.id, 'assignment.' || lower(a.status),
    json_strip_nulls(json_build_object(
      'assignmentId', a.id, 'orderId', a.order_id, 'agentId', a.agent_id,
      'cashCollected', CASE WHEN a.cash_collected IS NOT NULL THEN money(a.cash_collected, a.currency) END
    ))
  );
  RETURN a.id;
END $$;
