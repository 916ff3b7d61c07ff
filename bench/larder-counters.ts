import { sumOf } from './processes.ts';

/** What Larder has counted since its start. */
export interface LarderCounters {
  cpuSeconds: number;
  /** Statements other than those that place orders: one for each dashboard that is read, and the day of the store once a minute. */
  readStatements: number;
  /** Reads of the cache, and those of them that waited for no load. */
  cacheReads: number;
  cacheHits: number;
  /** Loads of the cache, and the time that they took, one after the other. */
  loads: number;
  loadSeconds: number;
}

const HITS = ['memory', 'redis', 'stale'];

export async function larderCounters(url: string): Promise<LarderCounters> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const statements = 'larder_db_query_duration_seconds_count';
  const reads = 'larder_cache_reads_total';
  return {
    cpuSeconds: sumOf('process_cpu_seconds_total', text),
    readStatements: sumOf(statements, text) - sumOf(statements, text, 'table="place_order"'),
    cacheReads: sumOf(reads, text),
    cacheHits: HITS.reduce((sum, source) => sum + sumOf(reads, text, `source="${source}"`), 0),
    loads: sumOf('larder_cache_loads_total', text),
    loadSeconds: sumOf('larder_cache_load_duration_seconds_sum', text),
  };
}
