import { Injectable } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { RedisClient } from '../redis/redis.client.js';
import type { Answer } from './answer.js';
import type { CachedCall } from './cached-call.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';
import { generationKey } from './invalidation/invalidation-bus.js';
import type { TimeBudget } from './time-budget.js';

/** Longer than any entry lives: a generation that runs out makes its entries misses, no more. */
const GENERATION_TTL_S = 7 * 86_400;
/** For what nobody waits for. */
const WRITTEN_WITHIN_MS = 1000;
/** A holder of a lease that died is waited for no longer. */
const LEASE_MS = 5000;

export interface SharedView {
  /** Valid, if there is one: cached under the generations that its tags have now. */
  answer?: Answer;
  generations: (string | undefined)[];
}

interface Claim {
  mine: boolean;
  /** Cached under the generations of the claim. */
  answer?: Answer;
}

/**
 * Answers that instances share. Nothing is ever deleted from it but generations: what was cached under one that is gone is not
 * believed, so a load that began before an invalidation can be written as late as it likes. Undefined always means that Redis
 * has not answered.
 */
@Injectable()
export class RedisTier {
  constructor(private readonly redis: RedisClient) {}

  /** The entry and the generations of its tags as they are at one moment: one command. */
  async look({ key, store, tags }: CachedCall, budget: TimeBudget): Promise<SharedView | undefined> {
    const keys = [key, ...tags.map((tag) => generationKey(this.redis, store, tag))];
    const values = await budget.spend(() => this.redis.ask('get', (redis) => redis.mgetBuffer(...keys)));
    if (!values) return undefined;
    const [entry, ...found] = values;
    const generations = found.map((value) => value?.toString());
    return { answer: await decodeEntry(key, entry ?? null, generations), generations };
  }

  /** The generations to cache under, made where there are none. Before the load, or they would tell nothing. */
  async generations(
    { store, tags }: CachedCall,
    seen: SharedView['generations'],
    budget: TimeBudget,
  ): Promise<string[] | undefined> {
    return budget.spend(() =>
      this.redis.ask('generation', (redis) =>
        Promise.all(
          tags.map(async (tag, index) => {
            const known = seen[index];
            if (known !== undefined) return known;
            const made = randomBytes(9).toString('base64url');
            const key = generationKey(this.redis, store, tag);
            const [, now] = await Promise.all([redis.set(key, made, 'EX', GENERATION_TTL_S, 'NX'), redis.get(key)]);
            // Gone at once: nobody will believe what is cached under it.
            return now ?? made;
          }),
        ),
      ),
    );
  }

  /**
   * Whether this instance is the one that loads, of those that saw the same generations, and what is there after that: the other
   * writes its answer, then ends its lease, so who gets the lease without looking again may load what was just written.
   */
  async claim(call: CachedCall, generations: string[], budget: TimeBudget): Promise<Claim | undefined> {
    const lease = leaseKey(call, generations);
    const answers = await budget.spend(() =>
      this.redis.ask('lease', (redis) =>
        Promise.all([redis.set(lease, 1, 'PX', LEASE_MS, 'NX'), redis.getBuffer(call.key)]),
      ),
    );
    if (!answers) return undefined;
    const [set, entry] = answers;
    return { mine: set === 'OK', answer: await decodeEntry(call.key, entry, generations) };
  }

  /** To be taken by the next one at once. */
  async giveBack(call: CachedCall, generations: string[]): Promise<void> {
    await this.redis.ask('lease', (redis) => redis.del(leaseKey(call, generations)));
  }

  /** Writes the answer and ends the lease; nobody waits for it. */
  async keep(call: CachedCall, answer: Answer, generations: string[]): Promise<void> {
    const entry = await encodeEntry(call.key, answer, generations);
    const ttl = call.ttlMs + call.staleMs;
    await this.redis.ask(
      'set',
      (redis) => Promise.all([redis.set(call.key, entry, 'PX', ttl), redis.del(leaseKey(call, generations))]),
      WRITTEN_WITHIN_MS,
    );
  }
}

function leaseKey({ key }: CachedCall, generations: string[]): string {
  return `${key}:lease:${createHash('sha256').update(generations.join()).digest('base64url').slice(0, 16)}`;
}
