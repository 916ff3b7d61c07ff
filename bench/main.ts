// npm run bench: how much of a bare server's speed is left with everything switched on. One run, one database, one machine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { analyze, makeBefore } from './before.ts';
import { headings, medianRound, row } from './figures.ts';
import { type Figures, measure, type Operation, OPERATIONS } from './load.ts';
import { buildLarderBefore } from './larder-before.ts';
import { comparePlacing } from './placing.ts';
import { type Larder, type Served, startBareServer, startLarder } from './processes.ts';
import { type Scene, setScene } from './scene.ts';

const CONNECTIONS = [1, 8, 32];
const WARM_UP_S = 6;
const AIM: Record<Operation, number> = {
  'place an order': 0.6,
  'place an order with window and coupon': 0.6,
  'list 20 products': 0.5,
  'read an order': 0.5,
};
/** Rounds of placing for each of the others: what is asked there is a difference of 15 %. */
const PLACING_ROUNDS = 3;
const WIDTH = 8;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    /** Only today's placing of orders against that of before. */
    placing: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

interface Compared {
  operation: Operation;
  connections: number;
  bare: Figures;
  larder: Figures;
}

function print({ operation, connections, bare, larder }: Compared): void {
  const ratio = larder.perSecond / bare.perSecond;
  const aim = connections === 32 ? ` (aim: ${AIM[operation]}: ${ratio >= AIM[operation] ? 'met' : 'NOT met'})` : '';
  console.log(`\n${operation}, ${connections} connection(s): ratio ${ratio.toFixed(2)}${aim}`);
  console.log(headings(WIDTH));
  console.log(row('bare', WIDTH, bare));
  console.log(row('larder', WIDTH, larder));
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

/** Cold code costs Larder twice the CPU of warm code, and the bare server next to nothing more. */
async function warmUp(servers: Served[], operations: readonly Operation[], scene: Scene): Promise<void> {
  for (const operation of operations) {
    for (const served of servers) await measure(served, operation, scene, { connections: 32, seconds: WARM_UP_S });
  }
}

async function compare(bare: Served, larder: Served, scene: Scene): Promise<void> {
  await warmUp([bare, larder], OPERATIONS, scene);
  for (const operation of OPERATIONS) {
    for (const connections of CONNECTIONS) {
      const measured: Record<'bare' | 'larder', Figures[]> = { bare: [], larder: [] };
      // Turn and turn about, so that a machine that gets slower does so for both.
      for (let round = 0; round < rounds; round++) {
        measured.bare.push(await measure(bare, operation, scene, { connections, seconds }));
        measured.larder.push(await measure(larder, operation, scene, { connections, seconds }));
      }
      print({ operation, connections, bare: medianRound(measured.bare), larder: medianRound(measured.larder) });
    }
  }
}

async function startBefore(): Promise<Larder | undefined> {
  const root = await buildLarderBefore(folder);
  if (!root) {
    console.log('The Larder of before is not in the history: only statements are compared.');
    return undefined;
  }
  return startLarder({ DATA_DIR: join(folder, 'before') }, join(folder, 'larder-before.log'), root);
}

async function setSceneOfBefore(served: Larder): Promise<Scene> {
  const scene = await setScene(served.url, await storeIdOf(served.databaseUrl), false);
  await measure(served, 'place an order', scene, { connections: 32, seconds: WARM_UP_S });
  await analyze(served.databaseUrl);
  return scene;
}

async function compareWithBefore(bare: Served, larder: Larder, scene: Scene): Promise<void> {
  const database = await makeBefore(larder.databaseUrl);
  try {
    const before = await startBareServer(database.url, scene.storeId, 'before');
    try {
      await warmUp([before], ['place an order'], scene);
      await warmUp([bare, larder], ['place an order', 'place an order with window and coupon'], scene);
      for (const url of [database.url, larder.databaseUrl]) await analyze(url);
      const served = await startBefore();
      try {
        const larderBefore = served && { served, scene: await setSceneOfBefore(served) };
        const placers = { before, bare, larder, larderBefore };
        await comparePlacing(placers, scene, { rounds: rounds * PLACING_ROUNDS, seconds });
      } finally {
        await served?.stop();
      }
    } finally {
      await before.stop();
    }
  } finally {
    await database.drop();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'larder-bench-'));
const { DATABASE_URL } = process.env;
const larder = await startLarder(DATABASE_URL ? { DATABASE_URL } : { DATA_DIR: folder }, join(folder, 'larder.log'));
try {
  const storeId = await storeIdOf(larder.databaseUrl);
  const bare = await startBareServer(larder.databaseUrl, storeId);
  console.log('Larder against node:http + pg executing the same statements. Medians; p95 is interpolated.');
  try {
    const scene = await setScene(larder.url, storeId);
    if (!options.placing) await compare(bare, larder, scene);
    await compareWithBefore(bare, larder, scene);
  } finally {
    await bare.stop();
  }
} finally {
  await larder.stop();
  await rm(folder, { recursive: true, force: true });
}
