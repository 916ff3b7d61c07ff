import { registry } from '../../src/platform/metrics/registry.js';

/** How many statements the application sent to its database while something ran; nothing else may run meanwhile. */
export async function statementsOf(run: () => PromiseLike<unknown>): Promise<number> {
  const before = await sentSoFar();
  await run();
  return (await sentSoFar()) - before;
}

async function sentSoFar(): Promise<number> {
  const metric = await registry.getSingleMetric('larder_db_query_duration_seconds')?.get();
  return (metric?.values ?? [])
    .filter((value) => 'metricName' in value && String(value.metricName).endsWith('_count'))
    .reduce((sum, { value }) => sum + value, 0);
}
