import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const registers = [registry];

/** Rows counted, each up to a bound: beyond it the figure stands still, which is bad enough to look. */
export interface Backlog {
  ready: number;
  delayed: number;
  running: number;
  dead: number;
  outboxPending: number;
  outboxOldestSeconds: number;
}

let readBacklog: (() => Promise<Backlog | undefined>) | undefined;

/** How the backlog is counted at a scrape; undefined when the database doesn't answer. */
export function observeBacklog(read: () => Promise<Backlog | undefined>): void {
  readBacklog = read;
}

const outboxPending = new Gauge({
  name: 'larder_outbox_pending',
  help: 'Events that were not yet handed to their subscribers',
  registers,
});

const outboxOldest = new Gauge({
  name: 'larder_outbox_oldest_seconds',
  help: 'Age of the oldest of them',
  registers,
});

const dead = new Gauge({ name: 'larder_jobs_dead', help: 'Jobs that used up their attempts', registers });

/** Background jobs, by name; ids are never labels. */
export const jobMetrics = {
  runs: new Counter({
    name: 'larder_job_runs_total',
    help: 'Runs of jobs and schedules, by outcome',
    labelNames: ['job', 'outcome'] as const,
    registers,
  }),
  duration: new Histogram({
    name: 'larder_job_duration_seconds',
    help: 'Time of a run',
    labelNames: ['job'] as const,
    buckets: [0.01, 0.05, 0.25, 1, 5, 15, 60],
    registers,
  }),
  workersLost: new Counter({
    name: 'larder_job_workers_lost_total',
    help: 'Workers that were taken for dead',
    registers,
  }),
  relayed: new Counter({
    name: 'larder_outbox_relayed_total',
    help: 'Events handed to their subscribers',
    registers,
  }),
  queue: new Gauge({
    name: 'larder_jobs_queued',
    help: 'Jobs that are ready, wait for their time, or run',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      const backlog = await readBacklog?.();
      if (!backlog) return;
      this.set({ state: 'ready' }, backlog.ready);
      this.set({ state: 'delayed' }, backlog.delayed);
      this.set({ state: 'running' }, backlog.running);
      dead.set(backlog.dead);
      outboxPending.set(backlog.outboxPending);
      outboxOldest.set(backlog.outboxOldestSeconds);
    },
  }),
};
