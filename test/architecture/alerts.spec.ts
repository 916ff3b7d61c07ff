import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { RedisClient } from '../../src/platform/redis/redis.client.js';
import { until } from '../cache/until.js';
import { startApp } from '../support/app.js';
import { RedisServer } from '../support/redis-server.js';
import { openScene } from '../support/scene.js';

const FOLDER = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const read = (file: string) => parse(readFileSync(FOLDER + file, 'utf8'));

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
const rules: Rule[] = read('alerts.yml').groups.flatMap((group: { rules: Rule[] }) => group.rules);

/** What GET /metrics says without Redis, and with one after the cache was used. */
let alone: string;
let scrape: string;

beforeAll(async () => {
  // All apps of a process have one registry.
  const lonely = await startApp();
  alone = (await lonely.http.get('/metrics').expect(200)).text;
  await lonely.close();
  const redis = await RedisServer.start();
  const larder = await startApp({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '4000' });
  await until(() => larder.app.get(RedisClient).up);
  const { store } = await openScene(larder, 'demo');
  for (let n = 0; n < 2; n++) await larder.http.get('/api/products').set('x-store', store.slug).expect(200);
  scrape = (await larder.http.get('/metrics').expect(200)).text;
  await larder.close();
  await redis.kill();
});

/** Selectors of an expression: the name and what is asked of labels. */
function selectors(expr: string): { name: string; labels: Record<string, string[]> }[] {
  return [...expr.matchAll(/(larder_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => ({
    name,
    labels: Object.fromEntries(
      [...matchers.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', values = '']) => [label, values.split('|')]),
    ),
  }));
}

/** Series with this name of which each label has one of these values. */
function seriesOf({ name, labels }: ReturnType<typeof selectors>[number]): string[] {
  return scrape
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) =>
      Object.entries(labels).every(([label, values]) => values.some((value) => line.includes(`${label}="${value}"`))),
    );
}

describe('Alerts', () => {
  it('are read by Prometheus', () => {
    expect(read('prometheus.yml').rule_files).toEqual(['alerts.yml']);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for series that Larder has', (_name, rule) => {
    const asked = selectors(rule.expr);
    expect(asked.length).toBeGreaterThan(0);
    for (const selector of asked) {
      expect({ ...selector, found: seriesOf(selector).length > 0 }).toEqual({ ...selector, found: true });
      const help = scrape.split('\n').find((line) => line.startsWith(`# HELP ${selector.name} `)) ?? '';
      const alternatives = Object.values(selector.labels).filter(({ length }) => length > 1);
      for (const value of alternatives.flat()) expect(help).toMatch(new RegExp(`\\b${value}\\b`));
    }
    expect(rule).toMatchObject({
      for: expect.stringMatching(/^\d+m$/),
      labels: { severity: expect.stringMatching(/^(warning|critical)$/) },
      annotations: { summary: expect.any(String), description: expect.any(String) },
    });
  });

  it('watch the hit rate, storms of invalidations, and a Redis that is slow or gone', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'LarderCacheHitRateLow',
        'LarderCacheInvalidationStorm',
        'LarderRedisSlow',
        'LarderRedisDown',
      ]),
    );
  });

  it('say nothing of Redis to who has none', () => {
    expect(alone).not.toMatch(/^larder_redis_up/m);
    expect(scrape).toMatch(/^larder_redis_up 1$/m);
  });

  // It comes with Prometheus, which no package of npm has; a test that is skipped is counted as such by .ci/run.
  (hasPromtool ? it : it.skip).each([
    ['check', 'alerts.yml'],
    ['test', 'alerts.test.yml'],
  ])(
    `are what promtool takes${hasPromtool ? '' : ', which is not installed here'}: %s rules %s`,
    async (command, file) => {
      const { stdout } = await promisify(execFile)('promtool', [command, 'rules', file], { cwd: FOLDER });
      expect(stdout).toContain('SUCCESS');
    },
  );
});
