-- Background jobs on top of graphile-worker, whose own schema is migrated by itself (src/platform/prisma/migrations.ts).
-- What Larder uses of its insides stands in this file and nowhere else; the version is pinned (docs/adr/0011-jobs.md).

-- Worker processes that live: each tells so every few seconds.
CREATE TABLE "job_workers" (
    "id" TEXT NOT NULL,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL,
    "steady_since" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "job_workers_pkey" PRIMARY KEY ("id")
);

-- What is to be done every so often, by one worker at a time.
CREATE TABLE "job_schedules" (
    "name" TEXT NOT NULL,
    "every_s" INTEGER NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "running_by" TEXT,
    "running_since" TIMESTAMPTZ(3),
    CONSTRAINT "job_schedules_pkey" PRIMARY KEY ("name")
);

-- Jobs that used up their attempts, until somebody replays them.
CREATE TABLE "dead_jobs" (
    "store_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "payload" JSON NOT NULL,
    "attempts" SMALLINT NOT NULL,
    "max_attempts" SMALLINT NOT NULL,
    "error" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "died_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "dead_jobs_pkey" PRIMARY KEY ("store_id", "id")
);

-- Who wants which events. In the database, so that an instance that knows nothing of a new subscriber relays to it too.
CREATE TABLE "outbox_subscribers" (
    "name" TEXT NOT NULL,
    "events" TEXT[],
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "outbox_subscribers_pkey" PRIMARY KEY ("name")
);

CREATE INDEX "idx_refresh_tokens_expires" ON "refresh_tokens"("store_id", "expires_at");

ALTER TABLE job_schedules ADD CONSTRAINT job_schedules_every_check CHECK (every_s BETWEEN 1 AND 86400);

-- Adds a job in the transaction of the caller. A job that waits under the same key is replaced; one that runs already is
-- left to its end and this one runs after it.
-- The envelope {store, request, key, data} is what every job carries.
CREATE FUNCTION enqueue_job(
  p_store uuid, p_name text, p_data json, p_run_at timestamptz DEFAULT NULL, p_key text DEFAULT NULL,
  p_max_attempts int DEFAULT NULL, p_request text DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_key text := p_store || ':' || p_name || ':' || p_key;
BEGIN
  RETURN (graphile_worker.add_job(
    identifier => p_name,
    payload => json_build_object('store', p_store, 'request', p_request, 'key', v_key, 'data', p_data),
    run_at => p_run_at,
    job_key => v_key,
    max_attempts => p_max_attempts
  )).id;
END $$;

-- Strikes a job off in the transaction of its effect. False when it is not the worker's any more: it was taken for dead.
CREATE FUNCTION finish_job(p_id bigint, p_worker text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM graphile_worker._private_jobs j WHERE j.id = p_id AND j.locked_by = p_worker;
  RETURN FOUND;
END $$;

-- Puts a running job back, as if it had not been taken.
CREATE FUNCTION postpone_job(p_id bigint, p_worker text, p_delay_ms int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE graphile_worker._private_jobs j
     SET locked_by = NULL, locked_at = NULL, attempts = greatest(j.attempts - 1, 0),
         run_at = now() + p_delay_ms * interval '1 millisecond'
   WHERE j.id = p_id AND j.locked_by = p_worker;
END $$;

-- Tells that a worker lives, and returns how many others do no longer. Workers tell five times in p_lost_ms: where nobody
-- has for half of it, the database or the way to it was gone, and nobody is judged until all had time to speak up again.
CREATE FUNCTION beat_job_worker(p_worker text, p_lost_ms int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_lost interval := p_lost_ms * interval '1 millisecond';
  v_latest timestamptz;
  v_steady timestamptz;
BEGIN
  SELECT max(w.heartbeat_at), max(w.steady_since) INTO v_latest, v_steady FROM job_workers w;
  IF v_latest IS NULL OR v_latest < now() - v_lost / 2 THEN
    v_steady := now();
  END IF;
  INSERT INTO job_workers AS w (id, heartbeat_at, steady_since)
  VALUES (p_worker, now(), v_steady)
  ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), steady_since = EXCLUDED.steady_since;
  IF v_steady > now() - v_lost THEN
    RETURN 0;
  END IF;
  RETURN (SELECT count(*) FROM job_workers w WHERE w.heartbeat_at < now() - v_lost);
END $$;

-- What these workers had taken is anybody's again. The attempt counts: a job that kills its worker must come to an end, and
-- from the second time on it has to wait like one that failed.
CREATE FUNCTION release_jobs_of(p_gone text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_released int;
BEGIN
  UPDATE graphile_worker._private_jobs j
     SET locked_by = NULL, locked_at = NULL, last_error = 'WORKER_LOST',
         run_at = CASE WHEN j.attempts <= 1 THEN j.run_at
                       ELSE now() + exp(least(j.attempts, 10)) * interval '1 second' END
   WHERE j.id IN (
     SELECT l.id FROM graphile_worker._private_jobs l WHERE l.locked_by = ANY (p_gone) FOR UPDATE SKIP LOCKED
   );
  GET DIAGNOSTICS v_released = ROW_COUNT;
  UPDATE job_schedules s
     SET running_by = NULL, running_since = NULL, due_at = least(s.due_at, now())
   WHERE s.running_by = ANY (p_gone);
  RETURN v_released;
END $$;

-- Buries workers that have not told for so long that they live. Returns their ids and how many jobs were taken from them.
CREATE FUNCTION bury_job_workers(p_lost_ms int, OUT workers text[], OUT jobs int) LANGUAGE plpgsql AS $$
BEGIN
  WITH gone AS (
    DELETE FROM job_workers w
     WHERE w.id IN (
       SELECT l.id
         FROM job_workers l
        WHERE l.heartbeat_at < now() - p_lost_ms * interval '1 millisecond'
          FOR UPDATE SKIP LOCKED
     )
    RETURNING w.id
  )
  SELECT coalesce(array_agg(g.id), '{}') INTO workers FROM gone g;
  jobs := release_jobs_of(workers);
END $$;

-- A worker that stops: what it did not finish goes back as if it had not been taken. What is about to be finished is locked,
-- and left alone.
CREATE FUNCTION leave_job_worker(p_worker text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_returned int;
BEGIN
  UPDATE graphile_worker._private_jobs j
     SET locked_by = NULL, locked_at = NULL, attempts = greatest(j.attempts - 1, 0)
   WHERE j.id IN (
     SELECT l.id FROM graphile_worker._private_jobs l WHERE l.locked_by = p_worker FOR UPDATE SKIP LOCKED
   );
  GET DIAGNOSTICS v_returned = ROW_COUNT;
  UPDATE job_schedules s
     SET running_by = NULL, running_since = NULL, due_at = least(s.due_at, now())
   WHERE s.running_by = p_worker;
  DELETE FROM job_workers w WHERE w.id = p_worker;
  RETURN v_returned;
END $$;

-- Once a minute: what was taken by workers that nobody knows, because they were buried alive and died in earnest.
CREATE FUNCTION release_orphaned_jobs(p_lost_ms int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN release_jobs_of(ARRAY(
    SELECT j.locked_by
      FROM graphile_worker._private_jobs j
     WHERE j.locked_at < now() - p_lost_ms * interval '1 millisecond'
       AND NOT EXISTS (SELECT 1 FROM job_workers w WHERE w.id = j.locked_by)
    UNION
    SELECT s.running_by
      FROM job_schedules s
     WHERE s.running_since < now() - p_lost_ms * interval '1 millisecond'
       AND NOT EXISTS (SELECT 1 FROM job_workers w WHERE w.id = s.running_by)
  ));
END $$;

-- Jobs without an attempt left move to dead_jobs. Not those that a newer one under their key has replaced while they ran:
-- the library takes the key from them.
CREATE FUNCTION bury_dead_jobs() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_buried int;
BEGIN
  WITH dead AS (
    DELETE FROM graphile_worker._private_jobs j
     USING graphile_worker._private_tasks t
     WHERE t.id = j.task_id AND j.attempts >= j.max_attempts AND j.locked_at IS NULL
    RETURNING t.identifier, j.payload, j.key, j.attempts, j.max_attempts, j.last_error, j.created_at
  )
  INSERT INTO dead_jobs (store_id, id, name, payload, attempts, max_attempts, error, created_at, died_at)
  SELECT s.id, uuid_v7(), d.identifier, d.payload, d.attempts, d.max_attempts, coalesce(d.last_error, 'UNKNOWN'), d.created_at, now()
    FROM dead d
    JOIN stores s ON s.id = (d.payload ->> 'store')::uuid
   WHERE d.key IS NOT DISTINCT FROM d.payload ->> 'key';
  GET DIAGNOSTICS v_buried = ROW_COUNT;
  RETURN v_buried;
END $$;

-- A dead job is given all its attempts again. False when it is not there, or another store's.
CREATE FUNCTION replay_dead_job(p_store uuid, p_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_dead dead_jobs;
BEGIN
  DELETE FROM dead_jobs d WHERE d.store_id = p_store AND d.id = p_id RETURNING d.* INTO v_dead;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM graphile_worker.add_job(
    identifier => v_dead.name, payload => v_dead.payload, job_key => v_dead.payload ->> 'key',
    max_attempts => v_dead.max_attempts
  );
  RETURN true;
END $$;

-- Takes the schedules that are due and that nobody runs. due_at moves to the next full multiple of every_s, so that a tick
-- belongs to exactly one worker; what was missed while nobody lived is not made up for.
-- p_running: what this worker still runs, although it may be due again.
CREATE FUNCTION claim_schedules(p_worker text, p_names text[], p_running text[])
RETURNS TABLE (name text, tick timestamptz) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  UPDATE job_schedules s
     SET running_by = p_worker, running_since = now(),
         due_at = date_bin(s.every_s * interval '1 second', now(), 'epoch') + s.every_s * interval '1 second'
    FROM (
      SELECT d.name, d.due_at
        FROM job_schedules d
       WHERE d.name = ANY (p_names) AND d.due_at <= now()
         AND (d.running_by IS NULL OR d.running_by = p_worker AND d.name <> ALL (p_running))
         FOR UPDATE SKIP LOCKED
    ) d
   WHERE s.name = d.name
  RETURNING s.name, d.due_at::timestamptz;
END $$;

CREATE FUNCTION finish_schedule(p_worker text, p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE job_schedules s SET running_by = NULL, running_since = NULL WHERE s.name = p_name AND s.running_by = p_worker;
END $$;

-- Hands pending events to their subscribers: one job each, and the mark that it is done, in one transaction. One relay at a
-- time, however many there are: a later batch that commits first would let an event overtake an earlier one of its aggregate.
-- run_at grows by a microsecond from event to event, so that jobs begin in the order of the events.
CREATE FUNCTION relay_outbox(p_limit int, OUT events int, OUT jobs int) LANGUAGE plpgsql AS $$
DECLARE
  v_ids bigint[];
BEGIN
  events := 0;
  jobs := 0;
  IF NOT pg_try_advisory_xact_lock(hashtextextended('outbox.relay', 0)) THEN
    RETURN;
  END IF;
  v_ids := ARRAY(SELECT e.id FROM outbox_events e WHERE e.published_at IS NULL ORDER BY e.id LIMIT p_limit);
  events := cardinality(v_ids);
  WITH specs AS (
    SELECT (
             'outbox.' || s.name,
             json_build_object(
               'store', e.store_id, 'request', NULL, 'key', k.key,
               'data', json_build_object(
                 'id', e.id, 'type', e.type, 'aggregateType', e.aggregate_type, 'aggregateId', e.aggregate_id,
                 'payload', e.payload, 'createdAt', e.created_at
               )
             ),
             NULL, now() + row_number() OVER (ORDER BY e.id) * interval '1 microsecond', NULL, k.key, NULL, NULL
           )::graphile_worker.job_spec AS spec
      FROM outbox_events e
      JOIN outbox_subscribers s ON ARRAY[e.type, e.aggregate_type || '.*', '*'] && s.events
     CROSS JOIN LATERAL (
       SELECT format('%s:outbox.%s:%s:%s', e.store_id, s.name, e.aggregate_id, lpad(e.id::text, 19, '0')) AS key
     ) k
     WHERE e.id = ANY (v_ids)
     ORDER BY e.id
  ), gathered AS (
    SELECT array_agg(spec) AS specs FROM specs
  )
  SELECT count(added.id) INTO jobs
    FROM gathered g
   CROSS JOIN LATERAL graphile_worker.add_jobs(g.specs) added
   WHERE g.specs IS NOT NULL;
  UPDATE outbox_events e SET published_at = now() WHERE e.id = ANY (v_ids);
END $$;

-- An event that is done with makes way for the next one of its aggregate, which need not wait until it looks again.
CREATE FUNCTION outbox_pass_turn(p_key text, p_worker text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM graphile_worker._private_jobs j WHERE j.key = p_key AND j.locked_by = p_worker;
  UPDATE graphile_worker._private_jobs j
     SET run_at = now()
   WHERE j.key = (
           SELECT min(n.key)
             FROM graphile_worker._private_jobs n
            WHERE n.key > p_key AND n.key <= left(p_key, -19) || repeat('9', 19)
         )
     AND j.attempts = 0 AND j.locked_at IS NULL AND j.run_at > now();
END $$;

-- Whether an earlier event of the same aggregate is still with this subscriber: waiting, running or about to be tried again.
CREATE FUNCTION outbox_has_earlier(p_key text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (
    SELECT 1
      FROM graphile_worker._private_jobs j
     WHERE j.key >= left(p_key, -19) || repeat('0', 19) AND j.key < p_key
  );
END $$;
