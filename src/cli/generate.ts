import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { GenerateFailure } from '../generate/generate-failure.js';
import { type GenerateOptions, generateStore } from '../generate/generate-store.js';
import { toldOfDays } from '../import/settle-store.js';
import { whichDatabase } from './which-database.js';

const USAGE = `Makes a store that has been open for a year: customers, agents, orders, deliveries, money, all of it sound. docs/generate.md.

  npm run generate -- --orders 1000000

  --orders <n>        how many it has had (10000)
  --days <n>          over how many days, the last of which is today (365)
  --store <slug>      what it is known by; it must not be there yet (demo-volume)
  --seed <n>          another one makes another store, the same the same (1)
  --currency <code>   (USD)
  --timezone <name>   of its days (America/New_York)
  --tax-inclusive     prices contain their tax
  --until <time>      when it stands still, ISO 8601 (now)
  --connections <n>   that generate at once, a core of the database's each (2)
  --url <url>         the database (default: DATABASE_URL, else the embedded one that runs here)
  --force             in production too

Stopped (Ctrl-C) or killed, the same command goes on where it was. Ends with 0 when the store is complete, else with 1.`;

const EXIT = { complete: 0, unfinished: 1 } as const;
const WITHOUT_TERMINAL_MS = 5000;
let stopped = false;

function readOptions(): Omit<GenerateOptions, 'onProgress'> | undefined {
  const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      orders: text('10000'),
      days: text('365'),
      store: text('demo-volume'),
      seed: text('1'),
      currency: text('USD'),
      timezone: text('America/New_York'),
      'tax-inclusive': flag,
      until: text(''),
      connections: text('2'),
      url: text(''),
      force: flag,
      help: { ...flag, short: 'h' },
    },
  });
  if (values.help) return undefined;
  if (process.env.NODE_ENV === 'production' && !values.force)
    throw new GenerateFailure('This is production (NODE_ENV): --force if a made-up store is really wanted here.');
  return {
    connectionString: whichDatabase(values.url || undefined),
    slug: matching('--store', values.store, /^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and hyphens'),
    orders: wholeNumber('--orders', values.orders, 1, 20_000_000),
    days: wholeNumber('--days', values.days, 1, 3660),
    seed: wholeNumber('--seed', values.seed, 0, 1_000_000),
    currency: oneOf('--currency', values.currency, Intl.supportedValuesOf('currency')),
    timezone: zone(values.timezone),
    taxInclusive: values['tax-inclusive'],
    until: moment(values.until),
    connections: wholeNumber('--connections', values.connections, 1, 16),
    isStopped: () => stopped,
  };
}

function wholeNumber(name: string, given: string, least: number, most: number): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new GenerateFailure(`${name}: a whole number from ${least} to ${most}`);
}

function matching(name: string, given: string, pattern: RegExp, meaning: string): string {
  if (pattern.test(given) && given.length <= 63) return given;
  throw new GenerateFailure(`${name}: ${meaning}, 63 at most`);
}

function oneOf(name: string, given: string, known: string[]): string {
  if (known.includes(given)) return given;
  throw new GenerateFailure(`${name}: ${given} is none`);
}

function zone(given: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions().timeZone;
  } catch {
    throw new GenerateFailure(`--timezone: ${given} is none`);
  }
}

function moment(given: string): Date {
  const until = given === '' ? new Date() : new Date(given);
  if (Number.isNaN(until.getTime()) || until.getTime() > Date.now())
    throw new GenerateFailure('--until: a time that has been, such as 2026-11-20T18:00:00Z');
  return until;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(USAGE);
    return EXIT.complete;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));
  const started = performance.now();
  const bar = new cliProgress.SingleBar(
    {
      format: 'Orders [{bar}] {percentage} % in {duration_formatted}: {value} of {total}',
      noTTYOutput: true,
      notTTYSchedule: WITHOUT_TERMINAL_MS,
      hideCursor: true,
    },
    cliProgress.Presets.rect,
  );
  bar.start(options.orders, 0);
  const { orders, resumed, finished, settled } = await generateStore({
    ...options,
    onProgress: (there) => bar.update(there),
  }).finally(() => bar.stop());
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const went = `${resumed ? 'went on, ' : ''}in ${seconds} s`;
  if (!finished) {
    console.log(`Stopped at ${orders} of ${options.orders} orders, ${went}; the same command goes on.`);
    return EXIT.unfinished;
  }
  console.log(`The store ${options.slug} has ${orders} orders (${went}).`);
  if (settled) console.log(toldOfDays(settled));
  console.log(
    `Log in as manager@${options.slug}.larder.test, customer1@, agent1@ …, password larder-demo, with X-Store: ${options.slug}.`,
  );
  return EXIT.complete;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error instanceof GenerateFailure ? error.message : (error.stack ?? String(error)));
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) console.error(`\n${USAGE}`);
  return EXIT.unfinished;
});
