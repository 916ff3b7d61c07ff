-- Forgets what the test provider's cards were charged.
DROP FUNCTION test_bank_answer(uuid, text, boolean);
DROP FUNCTION test_provider_ask(uuid, uuid, text, uuid, text, bigint);
DROP FUNCTION test_provider_tell(test_provider_payments, text, uuid);
DROP FUNCTION receive_provider_event(text, text, text, json, uuid, uuid, text);
DROP FUNCTION claim_payment_operations(int, int);
DROP INDEX idx_provider_events_processed;
DROP INDEX payment_operations_running_key;
DROP INDEX payment_operations_void_key;
CREATE UNIQUE INDEX payment_operations_void_key ON payment_operations (store_id, payment_id)
  WHERE kind = 'VOID' AND status <> 'FAILED';
DROP TABLE "test_provider_requests", "test_provider_payments";
ALTER TABLE "payment_operations" DROP COLUMN "action_required",
DROP COLUMN "provider_ref";
