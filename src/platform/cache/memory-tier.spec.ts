import { loadConfig } from '../../config/config.js';
import type { LarderLogger } from '../logging/larder-logger.js';
import { RedisClient } from '../redis/redis.client.js';
import { Answer } from './answer.js';
import type { CachedCall } from './cached-call.js';
import { Epochs } from './invalidation/epochs.js';
import { MemoryTier } from './memory-tier.js';

const callOf = (key: string): CachedCall => ({
  store: 'a store',
  key,
  category: 'slots',
  tags: ['slots'],
  ttlMs: 60_000,
  staleMs: 0,
  load: () => Promise.reject(new Error('not asked')),
});

it('looks at the thousand entries that became popular last, whatever is made popular, when something is invalidated', () => {
  const config = loadConfig({ NODE_ENV: 'test' });
  const epochs = new Epochs();
  const memory = new MemoryTier(config, epochs, new RedisClient(config, {} as LarderLogger));
  const calls = Array.from({ length: 3000 }, (_, zip) => callOf(`zip ${zip}`));
  for (const call of calls) {
    memory.remember(call, Answer.of([]), epochs.now());
    memory.find(call);
    memory.find(call);
  }
  epochs.invalidate('a store', 'slots');
  expect(memory.sweep()).toEqual(calls.slice(2000));
  expect(memory.sweep()).toEqual([]);
});
