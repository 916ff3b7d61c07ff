-- Double entry, kept by the database itself. Signs: an entry > 0 raises what the store owes the wallet's owner.

ALTER TABLE wallets
  ADD CONSTRAINT wallets_kind_check CHECK (kind IN (
    'CUSTOMER', 'AGENT_EARNINGS', 'AGENT_CASH',
    'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER'
  )),
  ADD CONSTRAINT wallets_kept_check CHECK (balance_kept = (kind IN ('CUSTOMER', 'AGENT_EARNINGS', 'AGENT_CASH'))),
  ADD CONSTRAINT wallets_not_kept_check CHECK (balance_kept OR balance = 0),
  ADD CONSTRAINT wallets_balance_check CHECK (balance >= 0 OR allow_negative),
  ADD CONSTRAINT wallets_range_check CHECK (abs(balance) <= 9007199254740991),
  -- An agent can't hand in more cash than he holds.
  ADD CONSTRAINT wallets_agent_cash_check CHECK (kind <> 'AGENT_CASH' OR balance <= 0);
ALTER TABLE ledger_transactions
  ADD CONSTRAINT ledger_transactions_type_check CHECK (type ~ '^[A-Z][A-Z_]{1,39}$'),
  ADD CONSTRAINT ledger_transactions_reference_check CHECK (char_length(reference) BETWEEN 1 AND 300),
  ADD CONSTRAINT ledger_transactions_memo_check CHECK (char_length(memo) <= 500);
ALTER TABLE ledger_entries
  ADD CONSTRAINT ledger_entries_amount_check CHECK (amount <> 0 AND abs(amount) <= 9007199254740991);

CREATE FUNCTION guard_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.balance <> 0 THEN
      RAISE EXCEPTION 'a wallet is opened empty' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.store_id, NEW.id, NEW.kind, NEW.owner_id, NEW.currency, NEW.balance_kept, NEW.allow_negative, NEW.created_at)
     IS DISTINCT FROM
     (OLD.store_id, OLD.id, OLD.kind, OLD.owner_id, OLD.currency, OLD.balance_kept, OLD.allow_negative, OLD.created_at) THEN
    RAISE EXCEPTION 'what a wallet is never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  -- Depth 1 is this trigger alone, so an UPDATE by hand; posting reaches here from the trigger on the entries.
  IF NEW.balance <> OLD.balance AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a balance changes only by ledger entries' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER wallets_guard BEFORE INSERT OR UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION guard_wallet();
-- No foreign key from entries to wallets (its share lock on SALES would make every order write that one row): wallets are
-- never deleted, and ledger_apply_entries() looks each one up.
CREATE TRIGGER wallets_keep BEFORE DELETE OR TRUNCATE ON wallets
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Both, since either can be switched off. UPDATE stays with the parents of foreign keys: their row locks need it.
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entries FROM PUBLIC, CURRENT_USER;
REVOKE DELETE, TRUNCATE ON ledger_transactions, wallets FROM PUBLIC, CURRENT_USER;

-- Balance = sum of entries, by construction: locks the wallets in the order of their ids, then moves them all at once.
CREATE FUNCTION ledger_apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  SELECT count(*) FILTER (WHERE w.id IS NULL) AS strangers,
         count(*) FILTER (WHERE t.posted_in <> pg_current_xact_id()) AS late,
         count(*) FILTER (WHERE w.balance_kept) AS kept
    INTO v_found
    FROM posted e
    JOIN ledger_transactions t ON t.store_id = e.store_id AND t.id = e.transaction_id
    LEFT JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id AND w.currency = e.currency;
  IF v_found.strangers > 0 THEN
    RAISE EXCEPTION 'an entry names no wallet of its store and currency' USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF v_found.late > 0 THEN
    RAISE EXCEPTION 'a posted ledger transaction takes no more entries' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF v_found.kept > 1 THEN
    PERFORM 1
       FROM wallets w
      WHERE (w.store_id, w.id) IN (SELECT e.store_id, e.wallet_id FROM posted e) AND w.balance_kept
      ORDER BY w.id
        FOR NO KEY UPDATE;
  END IF;
  IF v_found.kept > 0 THEN
    UPDATE wallets w
       SET balance = w.balance + moved.amount
      FROM (SELECT e.store_id, e.wallet_id, sum(e.amount) AS amount FROM posted e GROUP BY 1, 2) moved
     WHERE w.store_id = moved.store_id AND w.id = moved.wallet_id AND w.balance_kept;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_apply AFTER INSERT ON ledger_entries
  REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_entries();

-- On both tables: the transactions' own finds one without entries; the entries' one finds what comes after an early check
-- (SET CONSTRAINTS ... IMMEDIATE).
CREATE FUNCTION ledger_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transaction uuid;
  v_balanced boolean;
BEGIN
  IF TG_TABLE_NAME = 'ledger_entries' THEN
    v_transaction := NEW.transaction_id;
  ELSE
    v_transaction := NEW.id;
  END IF;
  SELECT coalesce(sum(c.entries) >= 2 AND bool_and(c.amount = 0), false)
    INTO v_balanced
    FROM (
      SELECT count(*) AS entries, sum(e.amount) AS amount
        FROM ledger_entries e
       WHERE e.store_id = NEW.store_id AND e.transaction_id = v_transaction
       GROUP BY e.currency
    ) c;
  IF NOT v_balanced THEN
    RAISE EXCEPTION 'ledger transaction % does not balance', v_transaction USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transactions_balanced AFTER INSERT ON ledger_transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();
CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();

-- Posts one balanced transaction. UNIQUE(store, type, reference) lets each business fact be posted once.
-- Raises wallets_balance_check (23514) when a wallet that may not go negative would.
CREATE FUNCTION ledger_post(
  p_store uuid, p_type text, p_reference text, p_actor uuid, p_memo text, p_currency text,
  p_wallets uuid[], p_amounts bigint[]
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid := uuid_v7();
BEGIN
  INSERT INTO ledger_transactions (store_id, id, type, reference, actor_id, memo)
  VALUES (p_store, v_id, p_type, p_reference, p_actor, p_memo);
  INSERT INTO ledger_entries (store_id, wallet_id, transaction_id, amount, currency)
  SELECT p_store, e.wallet_id, v_id, e.amount, p_currency
    FROM unnest(p_wallets, p_amounts) AS e (wallet_id, amount)
   WHERE e.amount <> 0
   ORDER BY e.wallet_id;
  RETURN v_id;
END $$;

-- What a wallet holds now, and how many entries had to be summed for it: none where a balance is kept, else those after the
-- latest checkpoint.
CREATE FUNCTION wallet_balance(p_wallet wallets) RETURNS TABLE (balance bigint, summed bigint)
LANGUAGE sql STABLE AS $$
  SELECT p_wallet.balance, 0
   WHERE p_wallet.balance_kept
   UNION ALL
  SELECT (coalesce(latest.balance, 0) + tail.amount)::bigint, tail.entries
    FROM (VALUES (p_wallet.store_id, p_wallet.id)) AS own (store_id, id)
    LEFT JOIN LATERAL (
      SELECT k.entry_id, k.balance
        FROM wallet_checkpoints k
       WHERE k.store_id = own.store_id AND k.wallet_id = own.id AND k.balance IS NOT NULL
       ORDER BY k.entry_id DESC
       LIMIT 1
    ) latest ON true
   -- Of a range with both ends the planner expects little, so that the primary key finds where the tail begins; with one end
   -- it read all entries of the wallet (1,000,000: 280 ms; now 3).
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entries
       FROM ledger_entries e
      WHERE e.wallet_id = own.id AND e.id > coalesce(latest.entry_id, 0) AND e.id <= 9223372036854775807
   ) tail
   WHERE NOT p_wallet.balance_kept
$$;

-- ADR 4. Ids of entries are given out before their transactions commit, so a lower one may still appear after a higher one.
-- Therefore two steps, in two calls: mark the latest entry, and fill its balance in when every database transaction that
-- could have taken a lower id, which all are older than the mark's, has ended. Waits for nobody.
CREATE UNIQUE INDEX wallet_checkpoints_marked_key ON wallet_checkpoints (store_id, wallet_id) WHERE balance IS NULL;
CREATE FUNCTION checkpoint_wallet(p_store uuid, p_wallet uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wallet_checkpoints marked
     SET balance = (
       SELECT coalesce(latest.balance, 0) + tail.amount
         FROM (VALUES (p_store, p_wallet)) AS own (store_id, id)
         LEFT JOIN LATERAL (
           SELECT k.entry_id, k.balance
             FROM wallet_checkpoints k
            WHERE k.store_id = own.store_id AND k.wallet_id = own.id AND k.balance IS NOT NULL
            ORDER BY k.entry_id DESC
            LIMIT 1
         ) latest ON true
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(e.amount), 0) AS amount
            FROM ledger_entries e
           WHERE e.wallet_id = own.id AND e.id > coalesce(latest.entry_id, 0) AND e.id <= marked.entry_id
        ) tail
     )
   WHERE marked.store_id = p_store
     AND marked.wallet_id = p_wallet
     AND marked.balance IS NULL
     AND marked.marked_in < pg_snapshot_xmin(pg_current_snapshot());
  -- The mark's transaction id has to be taken after the entries were seen: a transaction that has one already can't mark.
  IF NOT FOUND AND pg_current_xact_id_if_assigned() IS NULL THEN
    INSERT INTO wallet_checkpoints (store_id, wallet_id, entry_id)
    SELECT p_store, p_wallet, e.id
      FROM ledger_entries e
     WHERE e.wallet_id = p_wallet
     ORDER BY e.id DESC
     LIMIT 1
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- DESIGN 5.3: money moved on request is one statement, with its idempotency row. The caller has checked what never changes
-- (kinds, owner, currency) and tells its objection as p_refusal, so that it is stored like every refusal.
-- outcome: MOVED, REPLAY, REUSED, RUNNING, or the code of the refusal, whose details are in response.
-- The response names no wallet of the store's own.
CREATE FUNCTION move_money(
  p_store uuid, p_actor uuid, p_route text, p_key text, p_fingerprint text, p_refusal text,
  p_type text, p_reference text, p_from uuid, p_to uuid, p_amount bigint, p_currency text,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  v_begun record;
  v_available bigint;
  v_id uuid;
BEGIN
  SELECT * INTO v_begun FROM idempotency_begin(p_store, p_actor::text, p_route, p_key, p_fingerprint);
  IF v_begun.outcome <> 'NEW' THEN
    outcome := v_begun.outcome;
    status_code := v_begun.status_code;
    response := v_begun.response;
    RETURN;
  END IF;
  IF p_refusal IS NOT NULL THEN
    outcome := p_refusal;
    status_code := 400;
    response := json_build_object('code', outcome);
  ELSE
    SELECT min(locked.balance) FILTER (WHERE locked.id = p_from AND NOT locked.allow_negative)
      INTO v_available
      FROM (
        SELECT w.id, w.balance, w.allow_negative
          FROM wallets w
         WHERE w.store_id = p_store AND w.id IN (p_from, p_to) AND w.balance_kept
         ORDER BY w.id
           FOR NO KEY UPDATE
      ) locked;
    IF v_available < p_amount THEN
      outcome := 'INSUFFICIENT_FUNDS';
      status_code := 409;
      response := json_build_object('code', outcome, 'details', json_build_array(json_build_object(
        'code', outcome, 'required', money(p_amount, p_currency), 'available', money(v_available, p_currency)
      )));
    ELSE
      outcome := 'MOVED';
      status_code := 201;
      v_id := ledger_post(
        p_store, p_type, p_reference, p_actor, NULL, p_currency, ARRAY[p_from, p_to], ARRAY[-p_amount, p_amount]
      );
      SELECT json_build_object(
               'id', t.id, 'type', t.type, 'amount', money(p_amount, p_currency),
               'from', (SELECT w.id FROM wallets w WHERE w.store_id = p_store AND w.id = p_from AND w.balance_kept),
               'to', (SELECT w.id FROM wallets w WHERE w.store_id = p_store AND w.id = p_to AND w.balance_kept),
               'createdAt', iso_time(t.created_at)
             )
        INTO response
        FROM ledger_transactions t
       WHERE t.store_id = p_store AND t.id = v_id;
    END IF;
  END IF;
  PERFORM idempotency_finish(p_store, p_actor::text, p_route, p_key, p_fingerprint, status_code, response);
END $$;

-- A wallet by what it is for; a store's own are owned by the store.
CREATE FUNCTION wallet_of(p_store uuid, p_kind text, p_owner uuid, p_currency text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT w.id
      FROM wallets w
     WHERE w.store_id = p_store AND w.kind = p_kind AND w.owner_id = p_owner AND w.currency = p_currency
  );
END $$;

-- The wallets that a user's roles call for. Safe to repeat, as when roles change.
CREATE FUNCTION open_user_wallets(p_store uuid, p_user uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
  SELECT u.store_id, uuid_v7(), k.kind, u.id, s.currency, true, k.kind = 'AGENT_CASH'
    FROM users u
    JOIN stores s ON s.id = u.store_id
    JOIN (VALUES ('CUSTOMER', 'CUSTOMER'), ('AGENT', 'AGENT_EARNINGS'), ('AGENT', 'AGENT_CASH')) AS k (role, kind)
      ON k.role = ANY (u.roles)
   WHERE u.store_id = p_store AND u.id = p_user
  ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION open_store_wallets(p_store uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO wallets (store_id, id, kind, owner_id, currency, balance_kept, allow_negative)
  SELECT s.id, uuid_v7(), k.kind, s.id, s.currency, false, true
    FROM stores s
   CROSS JOIN unnest(ARRAY[
     'SALES', 'DELIVERY_FEES', 'TAXES', 'PROMOTIONS', 'PSP_CLEARING', 'CASH_VAULT', 'CASH_SHORT_OVER'
   ]) AS k (kind)
   WHERE s.id = p_store
  ON CONFLICT DO NOTHING
$$;
