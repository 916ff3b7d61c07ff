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
ALTER TABLE ledger_entries
  ADD CONSTRAINT ledger_entries_amount_check CHECK (amount <> 0 AND abs(amount) <= 9007199254740991);

CREATE FUNCTION guard_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.store_id, NEW.id, NEW.kind, NEW.owner_id, NEW.currency)
     IS DISTINCT FROM (OLD.store_id, OLD.id, OLD.kind, OLD.owner_id, OLD.currency) THEN
    RAISE EXCEPTION 'what a wallet is never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  -- Depth 1 is this trigger alone, so an UPDATE by hand; posting reaches here from the trigger on the entries.
  IF NEW.balance <> OLD.balance AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a balance changes only by ledger entries' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER wallets_guard BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION guard_wallet();
-- No foreign key from entries to wallets (its share lock on SALES would make every order write that one row): wallets are
-- never deleted, and ledger_apply_entries() looks each one up.
CREATE TRIGGER wallets_keep BEFORE DELETE OR TRUNCATE ON wallets
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entries FROM PUBLIC, CURRENT_USER;

-- Balance = sum of entries, by construction: locks the wallets in the order of their ids, then moves them all at once.
CREATE FUNCTION ledger_apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1
      FROM posted e
      LEFT JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id AND w.currency = e.currency
     WHERE w.id IS NULL
  ) THEN
    RAISE EXCEPTION 'an entry names no wallet of its store and currency' USING ERRCODE = 'foreign_key_violation';
  END IF;
  PERFORM 1
     FROM wallets w
    WHERE (w.store_id, w.id) IN (SELECT e.store_id, e.wallet_id FROM posted e) AND w.balance_kept
    ORDER BY w.id
      FOR NO KEY UPDATE;
  UPDATE wallets w
     SET balance = w.balance + moved.amount
    FROM (SELECT e.store_id, e.wallet_id, sum(e.amount) AS amount FROM posted e GROUP BY 1, 2) moved
   WHERE w.store_id = moved.store_id AND w.id = moved.wallet_id AND w.balance_kept;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_apply AFTER INSERT ON ledger_entries
  REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_entries();

CREATE FUNCTION ledger_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- Through jsonb, since the id of an entry is a bigint and that of a transaction a uuid.
  v_transaction uuid := to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN 'transaction_id' ELSE 'id' END;
BEGIN
  IF (SELECT count(*) FROM ledger_entries e WHERE e.store_id = NEW.store_id AND e.transaction_id = v_transaction) < 2
    OR EXISTS (
      SELECT 1
        FROM ledger_entries e
       WHERE e.store_id = NEW.store_id AND e.transaction_id = v_transaction
       GROUP BY e.currency
      HAVING sum(e.amount) <> 0
    )
  THEN
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

-- A wallet by what it is for; a store's own are owned by the store.
CREATE FUNCTION wallet_of(p_store uuid, p_kind text, p_owner uuid, p_currency text) RETURNS uuid
LANGUAGE sql STABLE AS $$
  SELECT id FROM wallets WHERE store_id = p_store AND kind = p_kind AND owner_id = p_owner AND currency = p_currency
$$;

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
