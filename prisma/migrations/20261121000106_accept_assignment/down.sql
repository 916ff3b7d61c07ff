DROP FUNCTION accept_assignment(uuid, uuid, uuid);
DROP FUNCTION agent_cash(uuid, uuid, text);
