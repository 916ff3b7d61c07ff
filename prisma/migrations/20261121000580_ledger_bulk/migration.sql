-- Whoever posts in bulk gives transactions their entries in the same statement, at whose end that is looked at: at commit, adding
-- them up once more (ledger_check_balanced), it cost three times as much. That they balance is found on the other side, by
-- ledger_apply_entries(). Row by row, as a table of what a statement inserted would be made for everybody who posts: 4 us.
CREATE FUNCTION ledger_check_entered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT e.id FROM ledger_entries e WHERE e.store_id = NEW.store_id AND e.transaction_id = NEW.id LIMIT 1) IS NULL THEN
    RAISE EXCEPTION 'ledger transaction %, posted in bulk, has no entries', NEW.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_transactions_entered AFTER INSERT ON ledger_transactions FOR EACH ROW
  WHEN (current_setting('larder.ledger_bulk', true) = 'on') EXECUTE FUNCTION ledger_check_entered();

DROP TRIGGER ledger_transactions_balanced ON ledger_transactions;
CREATE CONSTRAINT TRIGGER ledger_transactions_balanced AFTER INSERT ON ledger_transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (current_setting('larder.ledger_bulk', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION ledger_check_balanced();

-- Each entry's transaction is looked up by its key. Joined, all transactions there are were read for every batch: planned once for a
-- connection, when there were none yet. At 250,000 orders that was a third of what a batch cost.
CREATE OR REPLACE FUNCTION ledger_apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  SELECT count(*) FILTER (WHERE w.id IS NULL) AS strangers,
         count(*) FILTER (WHERE t.posted_in <> pg_current_xact_id()) AS late,
         count(*) FILTER (WHERE w.balance_kept) AS kept
    INTO v_found
    FROM posted e
   CROSS JOIN LATERAL (
     SELECT own.posted_in FROM ledger_transactions own WHERE own.store_id = e.store_id AND own.id = e.transaction_id OFFSET 0
   ) t
    LEFT JOIN wallets w ON w.store_id = e.store_id AND w.id = e.wallet_id AND w.currency = e.currency;
  IF v_found.strangers > 0 THEN
    RAISE EXCEPTION 'an entry names no wallet of its store and currency' USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF v_found.late > 0 THEN
    RAISE EXCEPTION 'a posted ledger transaction takes no more entries' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  -- Whoever posts by the thousand sets larder.ledger_bulk. Then each statement has to balance by itself, which is found in one
  -- pass over what it posted, and its entries aren't looked up one by one at commit (ledger_entries_balanced): 60 us for each
  -- transaction. Nothing else is spared: a transaction without entries is found by ledger_check_entered().
  IF current_setting('larder.ledger_bulk', true) = 'on' AND EXISTS (
    SELECT 1
      FROM posted e
     GROUP BY e.store_id, e.transaction_id, e.currency
    HAVING sum(e.amount) <> 0 OR count(*) < 2
  ) THEN
    RAISE EXCEPTION 'ledger transactions posted in bulk do not balance' USING ERRCODE = 'integrity_constraint_violation';
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
