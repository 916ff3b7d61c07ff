-- Deletes all jobs that wait: make a back-up first.
DROP FUNCTION outbox_has_earlier(text);
DROP FUNCTION outbox_pass_turn(text, text);
DROP FUNCTION relay_outbox(int);
DROP FUNCTION finish_schedule(text, text);
DROP FUNCTION claim_schedules(text, text[], text[]);
DROP FUNCTION replay_dead_job(uuid, uuid);
DROP FUNCTION bury_dead_jobs();
DROP FUNCTION release_orphaned_jobs(int);
DROP FUNCTION leave_job_worker(text);
DROP FUNCTION bury_job_workers(int);
DROP FUNCTION release_jobs_of(text[]);
DROP FUNCTION beat_job_worker(text, int);
DROP FUNCTION postpone_job(bigint, text, int);
DROP FUNCTION finish_job(bigint, text);
DROP FUNCTION enqueue_job(uuid, text, json, timestamptz, text, int, text);
DROP INDEX idx_refresh_tokens_expires;
DROP TABLE outbox_subscribers, dead_jobs, job_schedules, job_workers;
DROP SCHEMA IF EXISTS graphile_worker CASCADE;
