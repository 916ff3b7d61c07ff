import type { QueryConfig } from 'pg';

/** Statements of the worker itself, over its own pool: they are about processes, not about a store. */

export function beat(worker: string, lostMs: number): QueryConfig {
  return { name: 'job_beat', text: 'SELECT beat_job_worker($1, $2) AS lost', values: [worker, lostMs] };
}

export interface BuriedRow {
  workers: string[];
  jobs: number;
}

export function buryWorkers(lostMs: number): QueryConfig {
  return { text: 'SELECT workers, jobs FROM bury_job_workers($1)', values: [lostMs] };
}

export function leave(worker: string): QueryConfig {
  return { text: 'SELECT leave_job_worker($1) AS returned', values: [worker] };
}

export function buryJobs(): QueryConfig {
  return { text: 'SELECT bury_dead_jobs() AS buried' };
}

export function registerSchedules(schedules: ReadonlyMap<string, { everySeconds: number }>): QueryConfig {
  return {
    text: `
      INSERT INTO job_schedules AS s (name, every_s, due_at)
      SELECT n.name, n.every_s, date_bin(n.every_s * interval '1 second', now(), 'epoch')
        FROM unnest($1::text[], $2::int[]) AS n (name, every_s)
      ON CONFLICT (name) DO UPDATE SET every_s = EXCLUDED.every_s, due_at = least(s.due_at, now())
       WHERE s.every_s <> EXCLUDED.every_s`,
    values: [[...schedules.keys()], [...schedules.values()].map(({ everySeconds }) => everySeconds)],
  };
}

export interface DueRow {
  name: string;
  tick: Date;
}

/** @param running what this worker still runs, although it may be due again */
export function claimSchedules(worker: string, names: string[], running: string[]): QueryConfig {
  const text = 'SELECT name, tick FROM claim_schedules($1, $2, $3)';
  return { name: 'job_claim_schedules', text, values: [worker, names, running] };
}

export function finishSchedule(worker: string, name: string): QueryConfig {
  return { name: 'job_finish_schedule', text: 'SELECT finish_schedule($1, $2)', values: [worker, name] };
}
