DROP FUNCTION finish_withdrawal(uuid, uuid, text, uuid);
DROP FUNCTION withdraw_money(uuid, uuid, text, text, text, text, text, uuid, uuid, bigint, text);
ALTER TABLE withdrawals DROP CONSTRAINT withdrawals_finished_check;
