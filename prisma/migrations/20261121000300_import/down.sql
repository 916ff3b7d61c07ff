DROP TRIGGER ledger_entries_balanced ON ledger_entries;
CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();
-- Balance = sum of entries, by construction: locks the wallets in the order of their ids, then moves them all at once.
CREATE OR REPLACE FUNCTION ledger_apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TABLE import_rejections;
DROP TABLE import_keys;
DROP TABLE imports;
