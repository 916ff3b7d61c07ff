-- Whoever posts in bulk gives transactions their entries in the same statement, which is looked at as a whole: one by one at commit
-- (ledger_check_balanced) it cost 16 us for each transaction, a fifteenth of an import. That they balance is found on the
-- other side, by ledger_apply_entries().
CREATE FUNCTION ledger_check_entered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1
      FROM opened t
     WHERE (
       SELECT e.id FROM ledger_entries e WHERE e.store_id = t.store_id AND e.transaction_id = t.id LIMIT 1
     ) IS NULL
  ) THEN
    RAISE EXCEPTION 'ledger transactions posted in bulk have no entries' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_transactions_entered AFTER INSERT ON ledger_transactions
  REFERENCING NEW TABLE AS opened
  FOR EACH STATEMENT WHEN (current_setting('larder.ledger_bulk', true) = 'on') EXECUTE FUNCTION ledger_check_entered();

DROP TRIGGER ledger_transactions_balanced ON ledger_transactions;
CREATE CONSTRAINT TRIGGER ledger_transactions_balanced AFTER INSERT ON ledger_transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (current_setting('larder.ledger_bulk', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION ledger_check_balanced();
