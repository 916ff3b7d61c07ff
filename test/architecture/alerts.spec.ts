import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import '../../src/platform/metrics/cache.metrics.js';
import { registry } from '../../src/platform/metrics/registry.js';

const FOLDER = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const read = (file: string) => parse(readFileSync(FOLDER + file, 'utf8'));

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
const rules: Rule[] = read('alerts.yml').groups.flatMap((group: { rules: Rule[] }) => group.rules);

describe('Alerts', () => {
  it('are read by Prometheus', () => {
    expect(read('prometheus.yml').rule_files).toEqual(['alerts.yml']);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s is about metrics that there are',
    async (_name, rule) => {
      const known = (await registry.getMetricsAsJSON()).map(({ name }) => name);
      const used = rule.expr.match(/larder_\w+/g) ?? [];
      expect(used.length).toBeGreaterThan(0);
      for (const name of used) expect(known).toContain(name.replace(/_bucket$/, ''));
      expect(rule).toMatchObject({
        for: expect.stringMatching(/^\d+m$/),
        labels: { severity: expect.stringMatching(/^(warning|critical)$/) },
        annotations: { summary: expect.any(String), description: expect.any(String) },
      });
    },
  );

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

  it('are what promtool takes, where there is one', async () => {
    const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', `${FOLDER}alerts.yml`]).catch(
      (error: NodeJS.ErrnoException & { stdout?: string }) => {
        if (error.code === 'ENOENT') return { stdout: 'SUCCESS' };
        throw error;
      },
    );
    expect(stdout).toContain('SUCCESS');
  });
});
