import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis, ReplyError } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { LarderConfig } from '../../config/config.js';
import { LarderLogger } from '../logging/larder-logger.js';
import { redisMetrics } from '../metrics/cache.metrics.js';
import { answerWithin, RedisTimeoutError } from './answer-within.js';
import { CircuitBreaker } from './circuit-breaker.js';

const BEAT_MS = 1000;
const BEAT_WHILE_DOWN_MS = 500;
/** A connection on which nothing comes for so long, pings unanswered, is made anew. */
const SILENT_MS = 5000;
/** A process that stops waits for so long, even for a connection that has gone long ago. */
const GOODBYE_MS = 100;
const PROBED_KEY = 'larder:probe';

/** foreign: under a key of ours is what somebody else has put there. */
type FailureReason = 'timeout' | 'closed' | 'full' | 'foreign' | 'refused';

/**
 * Redis, which may be slow, full or gone at any time: a command is answered in time or there is no answer, and after three
 * failures in a row nobody waits for it any more until it answers pings again. Nothing here ever throws.
 */
@Injectable()
export class RedisClient implements OnModuleInit, OnApplicationShutdown {
  readonly configured: boolean;
  /** While down: since when, in ms since 1970; what other instances tell isn't heard. */
  downSince = Date.now();
  /** Which run of Redis this is, while it is up: one that was started again may know what was deleted since it last saved. */
  run = '';
  private readonly breaker = new CircuitBreaker();
  private readonly upListeners: (() => void)[] = [];
  private readonly channels = new Map<string, (message: string) => void>();
  private connections?: { commands: Redis; subscriber: Redis };
  private told?: 'up' | 'down';
  private stopping = false;
  private closed = 0;
  private readonly known = Promise.withResolvers<void>();

  constructor(
    private readonly config: LarderConfig,
    private readonly logger: LarderLogger,
  ) {
    this.configured = config.REDIS_URL !== undefined;
  }

  get up(): boolean {
    return !this.breaker.open;
  }

  /** Resolves at the start, when it is known whether Redis is there. */
  whenKnown(): Promise<void> {
    return this.configured ? this.known.promise : Promise.resolve();
  }

  /** Called at once when Redis is used again, before any other command: what is sent then comes first. */
  onUp(listener: () => void): void {
    this.upListeners.push(listener);
  }

  /** Before the start. While Redis is up every message is heard; over an outage messages are lost. */
  subscribe(channel: string, listener: (message: string) => void): void {
    this.channels.set(channel, listener);
  }

  /**
   * Undefined when Redis is down, fails, or doesn't answer within `ms` (REDIS_TIMEOUT_MS unless said otherwise). Commands
   * are carried out in the order in which they are given.
   */
  async ask<T>(
    operation: string,
    command: (redis: Redis) => Promise<T>,
    ms: number = this.config.REDIS_TIMEOUT_MS,
  ): Promise<T | undefined> {
    if (!this.connections || this.breaker.open) return undefined;
    const started = performance.now();
    try {
      const answer = await answerWithin(command(this.connections.commands), ms);
      redisMetrics.duration.observe({ operation }, (performance.now() - started) / 1000);
      this.breaker.succeeded();
      return answer;
    } catch (error) {
      const reason = reasonOf(error);
      redisMetrics.failures.inc({ operation, reason });
      // Redis has answered: it only takes nothing more, or not under this key.
      if (reason === 'full' || reason === 'foreign') this.breaker.succeeded();
      else if (this.breaker.failed()) this.tellDown(reason);
      return undefined;
    }
  }

  /** For who can't go on as if nothing were wrong: Redis is down until it answers again and the up listeners have run. */
  trip(reason: FailureReason): void {
    if (this.breaker.trip()) this.tellDown(reason);
  }

  onModuleInit(): void {
    if (this.config.REDIS_URL === undefined) return;
    redisMetrics.up.set(0);
    const connections = {
      commands: this.connect(this.config.REDIS_URL),
      subscriber: this.connect(this.config.REDIS_URL),
    };
    connections.subscriber.on('message', (channel, message) => this.channels.get(channel)?.(message));
    this.connections = connections;
    void this.beat(connections);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    if (!this.connections) return;
    const { commands, subscriber } = this.connections;
    if (this.up) await answerWithin(commands.quit(), this.config.REDIS_TIMEOUT_MS).catch(() => undefined);
    commands.disconnect();
    subscriber.disconnect();
  }

  private connect(url: string): Redis {
    const connection = new Redis(url, {
      connectionName: 'larder',
      connectTimeout: SILENT_MS,
      socketTimeout: SILENT_MS,
      disconnectTimeout: GOODBYE_MS,
      // Nothing waits for a Redis that isn't there, and nothing is sent twice.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      enableReadyCheck: false,
      disableClientInfo: true,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(attempt * 50, BEAT_WHILE_DOWN_MS),
    });
    connection.on('close', () => {
      this.closed += 1;
      this.trip('closed');
    });
    // Told once, when the state changes, and not at each attempt.
    connection.on('error', () => undefined);
    return connection;
  }

  private async beat(connections: { commands: Redis; subscriber: Redis }): Promise<void> {
    // Asked before it is there, it would be taken for one that isn't.
    await Promise.all([connected(connections.commands), connected(connections.subscriber)]);
    while (!this.stopping) {
      await this.probe(connections);
      await sleep(this.up ? BEAT_MS : BEAT_WHILE_DOWN_MS, undefined, { ref: false });
    }
  }

  /**
   * Both connections have to answer: who can send but not hear would believe what others have changed. Asked is a command that
   * writes, so that a Redis that only reads (a replica, a full disk) is none.
   */
  private async probe({ commands, subscriber }: { commands: Redis; subscriber: Redis }): Promise<void> {
    const { closed } = this;
    try {
      const channels = [...this.channels.keys()];
      const heard = this.up || channels.length === 0 ? subscriber.ping() : subscriber.subscribe(...channels);
      const run = this.up ? this.run : runOf(commands);
      const answers = Promise.all([run, commands.del(PROBED_KEY), heard]);
      [this.run] = await answerWithin(answers, this.config.REDIS_TIMEOUT_MS);
    } catch (error) {
      const reason = reasonOf(error);
      redisMetrics.failures.inc({ operation: 'ping', reason });
      if (this.breaker.failed() || this.told === undefined) this.tellDown(reason);
      return;
    }
    this.breaker.succeeded();
    // Closed after it had answered: the next connection listens to nothing yet.
    if (!this.up && !this.stopping && closed === this.closed) this.tellUp();
  }

  private tellUp(): void {
    this.breaker.close();
    for (const listener of this.upListeners) listener();
    redisMetrics.up.set(1);
    const duration = this.told === 'down' ? Date.now() - this.downSince : undefined;
    this.told = 'up';
    this.known.resolve();
    this.logger.info({ event: 'cache_redis_up', duration });
  }

  private tellDown(reason: FailureReason): void {
    redisMetrics.up.set(0);
    if (this.stopping || this.told === 'down') return;
    if (this.told === 'up') this.downSince = Date.now();
    this.told = 'down';
    this.known.resolve();
    this.logger.warn({ event: 'cache_redis_down', reason });
  }
}

/** Resolves when the first attempt has ended, well or not. */
function connected(connection: Redis): Promise<void> {
  return new Promise((resolve) => connection.once('ready', () => resolve()).once('close', () => resolve()));
}

/** Empty where asking is not allowed: INFO is dangerous to the rules of Redis. */
async function runOf(commands: Redis): Promise<string> {
  const server = await commands.info('server').catch((error: unknown) => {
    if (error instanceof ReplyError) return '';
    throw error;
  });
  return /^run_id:(\w+)/m.exec(server)?.[1] ?? '';
}

const REFUSALS: Record<string, FailureReason> = { OOM: 'full', WRONGTYPE: 'foreign' };

function reasonOf(error: unknown): FailureReason {
  if (error instanceof RedisTimeoutError) return 'timeout';
  if (!(error instanceof ReplyError)) return 'closed';
  return REFUSALS[(error as Error).message.split(' ', 1)[0] ?? ''] ?? 'refused';
}
