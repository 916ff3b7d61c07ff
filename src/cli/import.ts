import { parseArgs } from 'node:util';
import { ImportFailure } from '../import/import-failure.js';
import { type ImportOptions, type ImportSummary, type Outcome, runImport } from '../import/run-import.js';
import { toldOfDays } from '../import/settle-store.js';
import { whichDatabase } from './which-database.js';

const USAGE = `Brings a catalog and orders of the past from CSV files into a store. docs/import.md has the columns.

  npm run import -- --store demo --catalog products.csv --orders orders.csv

  --store <slug>         the store
  --catalog <file>       products and variants
  --orders <file>        orders that have ended, with their deliveries
  --dry-run              reads and judges everything, writes nothing but the report
  --report <file>        rejected lines with their reasons (default: rejected.csv)
  --max-rejected <n>     leave a file of which so many lines were rejected (default: 100000)
  --url <url>            the database (default: DATABASE_URL, else the embedded one that runs here)

Killed or stopped (Ctrl-C), it goes on where it was when it is started again with the same files.
Ends with 0 when all was imported, 2 when lines were rejected, 1 when it could not be finished.`;

const EXIT = { allImported: 0, unfinished: 1, someRejected: 2 } as const;
let stopped = false;

function readOptions(): ImportOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      store: text,
      catalog: text,
      orders: text,
      'dry-run': { type: 'boolean', default: false },
      report: { ...text, default: 'rejected.csv' },
      'max-rejected': { ...text, default: '100000' },
      url: text,
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  if (!values.store) throw new ImportFailure('--store: which one?');
  if (!values.catalog && !values.orders) throw new ImportFailure('--catalog, --orders: one of them at least');
  const mostRejected = Number(values['max-rejected']);
  if (!Number.isInteger(mostRejected) || mostRejected < 1)
    throw new ImportFailure('--max-rejected: a whole number above 0');
  const { store, catalog, orders, report } = values;
  const dryRun = values['dry-run'];
  return {
    connectionString: whichDatabase(values.url),
    store,
    catalog,
    orders,
    dryRun,
    report,
    mostRejected,
    showProgress: true,
    isStopped: () => stopped,
  };
}

function told({ kind, file, end, resumed, imported, present, rejected, seconds }: Outcome, dryRun: boolean): string {
  if (end === 'done before') return `${file}: imported before, nothing to do.`;
  const what = kind === 'CATALOG' ? 'variants' : 'orders';
  const rate = resumed ? '' : `, ${Math.round((imported + present) / Math.max(seconds, 0.001))} a second`;
  const lines = [
    `${file}${end === 'stopped' ? ': stopped; start again to go on' : ''}${resumed ? ' (went on where it was)' : ''}`,
    `  ${imported} ${what} ${dryRun ? 'could be' : 'were'} imported`,
    `  ${present} were there already`,
    `  ${rejected} lines were rejected`,
    `  in ${seconds.toFixed(1)} s${rate}`,
  ];
  return lines.join('\n');
}

function codeOf({ outcomes }: ImportSummary): number {
  if (outcomes.some(({ end }) => end === 'stopped')) return EXIT.unfinished;
  return outcomes.some(({ rejected }) => rejected > 0) ? EXIT.someRejected : EXIT.allImported;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(USAGE);
    return EXIT.allImported;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));
  const summary = await runImport(options);
  for (const outcome of summary.outcomes) console.log(told(outcome, options.dryRun));
  if (summary.settled) console.log(toldOfDays(summary.settled));
  if (summary.report) console.log(`Rejected lines with their reasons: ${summary.report}`);
  return codeOf(summary);
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error instanceof ImportFailure ? error.message : (error.stack ?? String(error)));
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) console.error(`\n${USAGE}`);
  return EXIT.unfinished;
});
