import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge } from 'prom-client';
import { registry } from './registry.js';

interface Manifest {
  version: string;
}

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as Manifest;

/** CPU, memory, event loop lag, garbage collection, open handles. */
collectDefaultMetrics({ register: registry });

export const buildInfo = new Gauge({
  name: 'larder_build_info',
  help: 'Which Larder this is; always 1',
  labelNames: ['version', 'node'] as const,
  registers: [registry],
});
buildInfo.set({ version, node: process.version }, 1);
