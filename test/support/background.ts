import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInContext } from '../../src/common/request-context.js';
import { type EnqueueOptions, Jobs } from '../../src/platform/jobs/jobs.service.js';
import { Database } from '../../src/platform/prisma/database.js';
import { startApp, type TestApp } from './app.js';
import { Factory, type TestStore } from './factories.js';

/** Resolves once the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  for (const deadline = performance.now() + ms; !(await condition()); await sleep(20)) {
    if (performance.now() > deadline) throw new Error(`Not within ${ms} ms: ${condition.toString()}`);
  }
}

/** A store over a Larder that works in the background. */
export class Background {
  private constructor(
    readonly larder: TestApp,
    readonly jobs: Jobs,
    readonly make: Factory,
    readonly store: TestStore,
  ) {}

  /** @param prepare is run before anything starts, to say what the jobs do */
  static async open(
    prepare: (jobs: Jobs, app: NestFastifyApplication) => void,
    settings: Record<string, string> = {},
  ): Promise<Background> {
    const larder = await startApp({ LARDER_ROLE: 'all', ...settings }, [], (app) => prepare(app.get(Jobs), app));
    const make = new Factory(larder.sql);
    return new Background(larder, larder.app.get(Jobs), make, await make.store());
  }

  inStore<T>(run: () => Promise<T>, store = this.store): Promise<T> {
    return runInContext({ requestId: 'request-of-the-test', storeId: store.id }, run);
  }

  enqueue(name: string, data: object, options: EnqueueOptions = {}, store = this.store): Promise<void> {
    const database = this.larder.app.get(Database);
    return this.inStore(() => database.transaction((tx) => this.jobs.enqueue(tx, name, data, options)), store);
  }

  async count(from: string, values: unknown[] = []): Promise<number> {
    const { rows } = await this.larder.sql.query<{ count: number }>(`SELECT count(*)::int FROM ${from}`, values);
    return rows[0]?.count ?? 0;
  }

  /** Ends the wait of jobs that were put off, for a failure or for later. */
  async hurry(): Promise<void> {
    await this.larder.sql.query('UPDATE graphile_worker._private_jobs SET run_at = now() WHERE run_at > now()');
  }

  close(): Promise<void> {
    return this.larder.close();
  }
}
