DROP FUNCTION open_store_wallets(uuid);
DROP FUNCTION open_user_wallets(uuid, uuid);
DROP FUNCTION wallet_of(uuid, text, uuid, text);
DROP FUNCTION move_money(uuid, uuid, text, text, text, text, text, text, uuid, uuid, bigint, text);
DROP FUNCTION checkpoint_wallet(uuid, uuid);
DROP INDEX wallet_checkpoints_marked_key;
DROP FUNCTION wallet_balance(wallets);
DROP FUNCTION ledger_post(uuid, text, text, uuid, text, text, uuid[], bigint[]);

DROP TRIGGER ledger_entries_balanced ON ledger_entries;
DROP TRIGGER ledger_transactions_balanced ON ledger_transactions;
DROP FUNCTION ledger_check_balanced();
DROP TRIGGER ledger_entries_apply ON ledger_entries;
DROP FUNCTION ledger_apply_entries();

GRANT DELETE, TRUNCATE ON ledger_transactions, wallets TO CURRENT_USER;
GRANT UPDATE, DELETE, TRUNCATE ON ledger_entries TO CURRENT_USER;
DROP TRIGGER ledger_entries_append_only ON ledger_entries;
DROP TRIGGER ledger_transactions_append_only ON ledger_transactions;
DROP TRIGGER wallets_keep ON wallets;
DROP TRIGGER wallets_guard ON wallets;
DROP FUNCTION guard_wallet();

ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_amount_check;
ALTER TABLE ledger_transactions
  DROP CONSTRAINT ledger_transactions_type_check,
  DROP CONSTRAINT ledger_transactions_reference_check,
  DROP CONSTRAINT ledger_transactions_memo_check;
ALTER TABLE wallets
  DROP CONSTRAINT wallets_kind_check,
  DROP CONSTRAINT wallets_kept_check,
  DROP CONSTRAINT wallets_not_kept_check,
  DROP CONSTRAINT wallets_balance_check,
  DROP CONSTRAINT wallets_range_check,
  DROP CONSTRAINT wallets_agent_cash_check;
