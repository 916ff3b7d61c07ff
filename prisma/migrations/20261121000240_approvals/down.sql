DROP TRIGGER approval_decisions_guard ON approval_decisions;
DROP FUNCTION guard_approval_decision();
DROP TRIGGER approvals_guard ON approvals;
DROP FUNCTION guard_approval();
DROP FUNCTION request_approval(uuid, text, uuid, bigint, text, text, json, uuid);
