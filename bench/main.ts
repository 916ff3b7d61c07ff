// npm run bench: how much of a bare server's speed is left with everything switched on. One run, one database, one machine.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type Figures, measure, type Operation, OPERATIONS } from './load.ts';
import { type Served, startBareServer, startLarder } from './processes.ts';
import { setScene } from './scene.ts';

const CONNECTIONS = [1, 8, 32];
const WARM_UP_S = 6;
const AIM: Record<Operation, number> = { 'place an order': 0.6, 'list 20 products': 0.5, 'read an order': 0.5 };

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
});

interface Compared {
  operation: Operation;
  connections: number;
  bare: Figures;
  larder: Figures;
}

function median(rounds: Figures[]): Figures {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new Error('No round was measured');
  return middle;
}

function row(name: string, f: Figures): string {
  const cells = [
    f.perSecond.toFixed(0),
    f.p50,
    f.p95.toFixed(0),
    f.p99,
    f.cpuMsPerRequest.toFixed(3),
    f.statementsPerRequest.toFixed(2),
  ];
  return `  ${name.padEnd(8)}${cells.map((cell) => String(cell).padStart(11)).join('')}`;
}

function print({ operation, connections, bare, larder }: Compared): void {
  const ratio = larder.perSecond / bare.perSecond;
  const aim = connections === 32 ? ` (aim: ${AIM[operation]}: ${ratio >= AIM[operation] ? 'met' : 'NOT met'})` : '';
  const headings = ['requests/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms/req', 'SQL/req'];
  console.log(`\n${operation}, ${connections} connection(s): ratio ${ratio.toFixed(2)}${aim}`);
  console.log(`  ${''.padEnd(8)}${headings.map((heading) => heading.padStart(11)).join('')}`);
  console.log(row('bare', bare));
  console.log(row('larder', larder));
  if (bare.failed + larder.failed > 0) console.log(`  failed: bare ${bare.failed}, larder ${larder.failed}`);
}

async function storeIdOf(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string }>("SELECT id FROM stores WHERE slug = 'demo'");
  await client.end();
  if (!rows[0]) throw new Error('The database has no demo store');
  return rows[0].id;
}

async function compare(bare: Served, larder: Served, storeId: string): Promise<void> {
  const scene = await setScene(larder.url, storeId);
  const seconds = Number(options.seconds);
  // Cold code costs Larder twice the CPU of warm code, and the bare server next to nothing more.
  for (const operation of OPERATIONS) {
    for (const served of [bare, larder])
      await measure(served, operation, scene, { connections: 32, seconds: WARM_UP_S });
  }
  for (const operation of OPERATIONS) {
    for (const connections of CONNECTIONS) {
      const rounds: Record<'bare' | 'larder', Figures[]> = { bare: [], larder: [] };
      // Turn and turn about, so that a machine that gets slower does so for both.
      for (let round = 0; round < Number(options.rounds); round++) {
        rounds.bare.push(await measure(bare, operation, scene, { connections, seconds }));
        rounds.larder.push(await measure(larder, operation, scene, { connections, seconds }));
      }
      print({ operation, connections, bare: median(rounds.bare), larder: median(rounds.larder) });
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'larder-bench-'));
const environment: Record<string, string> = process.env.DATABASE_URL ? {} : { DATA_DIR: folder };
const larder = await startLarder(environment, join(folder, 'larder.log'));
try {
  const databaseUrl = process.env.DATABASE_URL ?? (await readFile(join(folder, 'database-url'), 'utf8')).trim();
  const storeId = await storeIdOf(databaseUrl);
  const bare = await startBareServer(databaseUrl, storeId);
  console.log('Larder against node:http + pg executing the same statements. Medians; p95 is interpolated.');
  try {
    await compare(bare, larder, storeId);
  } finally {
    await bare.stop();
  }
} finally {
  await larder.stop();
  await rm(folder, { recursive: true, force: true });
}
