DROP FUNCTION idempotency_finish(uuid, text, text, text, text, int, json);
DROP FUNCTION idempotency_begin(uuid, text, text, text, text);
