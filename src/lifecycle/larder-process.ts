import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createApp } from '../app.setup.js';
import type { LarderConfig } from '../config/config.js';
import { Draining } from '../modules/health/draining.js';
import { JobWorker } from '../platform/jobs/job-worker.js';
import { LarderLogger } from '../platform/logging/larder-logger.js';
import { createPino } from '../platform/logging/pino.js';
import { loggable } from '../platform/prisma/database-error.js';
import { banner } from './banner.js';
import { Drain } from './drain.js';
import { onNpmGone } from './npm-watch.js';
import { type PreparedDatabase, prepareDatabase } from './prepare-database.js';
import { listenFailure, reasonOf } from './start-failure.js';

/** npm passes Ctrl-C on to Larder, which the terminal has told already: this soon it is the same one. */
const SAME_SIGNAL_MS = 1000;
/** Beyond delay and drain, for what hangs all the same. */
const STOP_RESERVE_MS = 10_000;

/** One Larder, from its start to the end of the process. */
export class LarderProcess {
  private readonly pino: Logger;
  private readonly logger: LarderLogger;
  private starting?: Promise<void>;
  private app?: NestFastifyApplication;
  private drain?: Drain;
  private database?: PreparedDatabase;
  private stopAskedAt?: number;
  private failed = false;

  constructor(private readonly config: LarderConfig) {
    this.pino = createPino(config);
    this.logger = new LarderLogger(this.pino);
  }

  /** Starts, and from then on obeys signals. Resolves when it serves; a start that fails ends the process with 1. */
  async run(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void this.onSignal(signal));
    onNpmGone(() => void this.onSignal('SIGTERM'));
    process.on('unhandledRejection', (error) => void this.fail(error));
    process.on('uncaughtException', (error) => void this.fail(error));
    this.starting = this.start();
    await this.starting.catch((error: unknown) => this.fail(error));
  }

  private async start(): Promise<void> {
    const { config } = this;
    this.database = await prepareDatabase(config, this.logger);
    if (this.stopAskedAt !== undefined) return;
    config.DATABASE_URL = this.database.url;
    this.app = await createApp(config);
    this.drain = new Drain(this.app.getHttpServer());
    if (this.stopAskedAt !== undefined) return;
    await this.app.listen(config.PORT, config.HOST).catch((error: unknown) => {
      throw listenFailure(error, config.PORT, config.HOST);
    });
    const { port } = this.app.getHttpServer().address() as { port: number };
    this.logger.info({ event: 'larder_server_started', host: config.HOST, port });
    // Production's stdout is for log lines alone, and a worker has nothing to show.
    if (config.NODE_ENV === 'production' || config.LARDER_ROLE === 'worker') return;
    const host = ['0.0.0.0', '::'].includes(config.HOST) ? 'localhost' : config.HOST;
    process.stdout.write(banner(`http://${host}:${port}`, this.database.urlFile));
  }

  private async onSignal(signal: NodeJS.Signals): Promise<void> {
    const now = performance.now();
    if (this.stopAskedAt === undefined) {
      this.stopAskedAt = now;
      this.logger.info({ event: 'larder_stop_started', signal });
      await this.stop().catch((error: unknown) => this.fail(error));
    } else if (now - this.stopAskedAt > SAME_SIGNAL_MS) {
      await this.fail(new Error(`${signal} again: not waiting any longer`));
    }
  }

  /** DESIGN 5.9: not ready, wait, take and accept no more, drain, close the pool, stop the database, flush the logs. */
  private async stop(): Promise<void> {
    const { SHUTDOWN_DELAY_MS, SHUTDOWN_DRAIN_MS } = this.config;
    const limit = SHUTDOWN_DELAY_MS + SHUTDOWN_DRAIN_MS + STOP_RESERVE_MS;
    setTimeout(() => void this.fail(new Error(`Not stopped after ${limit} ms`)), limit).unref();
    await this.starting?.catch(() => undefined);
    if (this.failed) return;
    if (this.app && this.drain) {
      this.app.get(Draining).begin();
      this.drain.begin();
      await sleep(SHUTDOWN_DELAY_MS);
      const worker = this.app.get(JobWorker);
      const [cutOff] = await Promise.all([this.drain.finish(SHUTDOWN_DRAIN_MS), worker.stop(SHUTDOWN_DRAIN_MS)]);
      if (cutOff > 0) this.logger.warn({ event: 'larder_drain_cancelled', connections: cutOff });
      await this.app.close();
    }
    await this.database?.stop();
    this.logger.info({ event: 'larder_server_stopped' });
    this.pino.flush();
    process.exit(0);
  }

  /** The end with 1. The embedded database is stopped even so; a second failure meanwhile does not wait for it. */
  private async fail(error: unknown): Promise<void> {
    if (this.failed) process.exit(1);
    this.failed = true;
    const reason = reasonOf(error);
    if (reason !== undefined) process.stderr.write(`${reason}\n`);
    else this.logger.error({ event: 'larder_process_failed', ...describe(error) });
    await this.database?.stop().catch((stopping: unknown) => {
      this.logger.error({ event: 'embedded_database_failed', ...describe(stopping) });
    });
    this.pino.flush();
    process.exit(1);
  }
}

function describe(error: unknown): { error: string; stack?: string } {
  return error instanceof Error ? loggable(error) : { error: String(error) };
}
