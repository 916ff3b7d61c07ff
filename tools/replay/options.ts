import { join, parse as parsePath, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ReplayFailure } from './replay-failure.ts';

export const USAGE = `Places the invoices of a file as orders over HTTP, and reconciles. See docs/replay.md.

  npm run replay -- <file.csv> [options]

  --url <url>              Larder (http://localhost:3000)
  --store <slug>           store (demo)
  --email, --password      of a manager of that store (manager@larder.test, larder-demo)
  --customer-secret <text> what the replayed customers' passwords are made from (the manager's password)
  --zip <zip>              zip code the orders go to, which the store has to serve (10001)
  --concurrency <n>        requests at once, 1 to 256 (16)
  --patience <seconds>     how long a request is repeated while Larder does not answer (60)
  --run <name>             replays the same file anew, beside what an earlier run has placed
  --database-url <url>     for the reconciliation (DATABASE_URL, else <DATA_DIR>/database-url)
  --dry-run                only reads and judges the file
  --report <file>          where rejected lines go (<DATA_DIR>/replay/<file>-rejected.csv)
`;

export interface Options {
  file: string;
  url: string;
  store: string;
  email: string;
  password: string;
  customerSecret: string;
  zip: string;
  concurrency: number;
  patienceMs: number;
  runName: string;
  dryRun: boolean;
  databaseUrl: string | undefined;
  dataDir: string;
  /** File for rejected lines. */
  report: string;
}

const KNOWN = {
  url: { type: 'string', default: 'http://localhost:3000' },
  store: { type: 'string', default: 'demo' },
  email: { type: 'string', default: 'manager@larder.test' },
  password: { type: 'string', default: 'larder-demo' },
  'customer-secret': { type: 'string' },
  zip: { type: 'string', default: '10001' },
  concurrency: { type: 'string', default: '16' },
  patience: { type: 'string', default: '60' },
  run: { type: 'string', default: '' },
  'database-url': { type: 'string' },
  report: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Undefined when help was asked for. @throws ReplayFailure */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new ReplayFailure(`Name one file.\n\n${USAGE}`);
  // npm runs scripts in the project's folder; paths are meant from where npm was called.
  const from = env.INIT_CWD ?? process.cwd();
  const dataDir = resolve(env.DATA_DIR ?? '.data');
  return {
    file: resolve(from, file),
    url: httpUrl(values.url),
    store: values.store,
    email: values.email,
    password: values.password,
    customerSecret: values['customer-secret'] ?? values.password,
    zip: values.zip,
    concurrency: wholeNumber('--concurrency', values.concurrency, 1, 256),
    patienceMs: 1000 * wholeNumber('--patience', values.patience, 1, 3600),
    runName: values.run,
    dryRun: values['dry-run'],
    databaseUrl: values['database-url'] ?? env.DATABASE_URL,
    dataDir,
    report:
      values.report === undefined
        ? join(dataDir, 'replay', `${parsePath(file).name}-rejected.csv`)
        : resolve(from, values.report),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: KNOWN, allowPositionals: true });
  } catch (error) {
    throw new ReplayFailure(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new ReplayFailure(`--url: expected an http address.`);
  return text.replace(/\/+$/, '');
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new ReplayFailure(`${option}: expected a whole number from ${least} to ${most}.`);
  }
  return value;
}
