import { Injectable } from '@nestjs/common';
import { newId } from '../../../common/ids.js';
import { RedisClient } from '../../redis/redis.client.js';
import { CACHE_CATEGORIES, categoryOf, type Tag } from './tags.js';

const CHANNEL = 'larder:invalidated';
/** Nobody waits for it, and within this time a connection on which nothing comes is closed anyway. */
const SENT_WITHIN_MS = 6000;

type Heard = (store: string, tags: Tag[]) => void;

/**
 * Where Redis keeps the generation of a tag: a random token, made by who first needs it. What was cached under another token, or
 * under one that is gone, isn't believed. Nor what another run of Redis knew: it may have forgotten that it was deleted.
 */
export function generationKey({ run }: RedisClient, store: string, tag: Tag): string {
  return `larder:{${store}}:generation:${run}:${tag}`;
}

/** Tells Redis and the other instances what is invalid. What could not be told is told first of all when Redis is back. */
@Injectable()
export class InvalidationBus {
  private readonly instance = newId();
  /** Of stores that changed while Redis was away; there are only so many tags, so no bound is needed but that of the stores. */
  private readonly untold = new Map<string, Set<Tag>>();
  private readonly sending = new Set<Promise<void>>();

  constructor(private readonly redis: RedisClient) {
    redis.onUp(() => this.tellUntold());
  }

  listen(heard: Heard): void {
    this.redis.subscribe(CHANNEL, (message) => {
      const news = parse(message);
      if (news && news.from !== this.instance) heard(news.store, news.tags);
    });
  }

  /**
   * Given to Redis at once, so that it is carried out before whatever this process asks Redis afterwards. Deleting and publishing
   * need no memory: a full Redis does them.
   */
  tell(store: string, tags: Tag[]): void {
    if (!this.redis.configured) return;
    const message = JSON.stringify({ from: this.instance, store, tags });
    const sent = this.redis
      .ask(
        'invalidate',
        (redis) =>
          Promise.all([
            redis.del(...tags.map((tag) => generationKey(this.redis, store, tag))),
            redis.publish(CHANNEL, message),
          ]),
        SENT_WITHIN_MS,
      )
      .then((answer) => {
        if (answer) return;
        const kept = this.untold.get(store) ?? new Set();
        for (const tag of tags) kept.add(tag);
        this.untold.set(store, kept);
        this.redis.trip('closed');
      });
    this.sending.add(sent);
    void sent.finally(() => this.sending.delete(sent));
  }

  /** Resolves when what was told has arrived, or could not. */
  async settled(): Promise<void> {
    await Promise.all(this.sending);
  }

  private tellUntold(): void {
    const untold = [...this.untold];
    this.untold.clear();
    for (const [store, tags] of untold) this.tell(store, [...tags]);
  }
}

function parse(message: string): { from: string; store: string; tags: Tag[] } | undefined {
  try {
    const { from, store, tags } = JSON.parse(message) as { from: string; store: string; tags: Tag[] };
    return { from, store, tags: tags.filter((tag) => CACHE_CATEGORIES.includes(categoryOf(tag))) };
  } catch {
    return undefined;
  }
}
