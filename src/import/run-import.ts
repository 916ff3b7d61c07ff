import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { hashPassword } from '../modules/auth/passwords.js';
import { CATALOG_COLUMNS, CATALOG_OPTIONAL } from './catalog-line.js';
import { type CsvFile, openCsvFile } from './csv-file.js';
import { ImportCatalog } from './import-catalog.js';
import { ImportFailure } from './import-failure.js';
import { ImportOrders } from './import-orders.js';
import { type Counts, type ImportKind, ImportRun } from './import-run.js';
import { ImportSession } from './import-session.js';
import { ORDER_COLUMNS, ORDER_OPTIONAL } from './order-columns.js';
import { Progress } from './progress.js';
import { RejectionReport } from './rejection-report.js';
import { type Settled, settleStore } from './settle-store.js';

export interface ImportOptions {
  connectionString: string;
  store: string;
  catalog: string | undefined;
  orders: string | undefined;
  dryRun: boolean;
  report: string;
  /** Lines of a file that may be rejected before it is left. */
  mostRejected: number;
  showProgress: boolean;
  /** Asked after each batch; what is committed stays. */
  isStopped: () => boolean;
}

/** What became of a file. */
export interface Outcome extends Counts {
  kind: ImportKind;
  file: string;
  /** 'done before': there was nothing to do. */
  end: 'done' | 'done before' | 'stopped';
  resumed: boolean;
  seconds: number;
}

export interface ImportSummary {
  outcomes: Outcome[];
  /** Where the report of rejected lines is, if there are any. */
  report: string | undefined;
  /** Undefined where nothing was imported. */
  settled: Settled | undefined;
}

/**
 * Brings a catalog and the orders of the past into a store, the catalog first. Started again with the same files it goes on
 * where it was, wherever it was killed.
 * @throws ImportFailure before anything is written when a file is not what it should be
 */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const files: [ImportKind, CsvFile][] = [];
  if (options.catalog) files.push(['CATALOG', await openCsvFile(options.catalog, CATALOG_COLUMNS, CATALOG_OPTIONAL)]);
  if (options.orders) files.push(['ORDERS', await openCsvFile(options.orders, ORDER_COLUMNS, ORDER_OPTIONAL)]);
  if (files.some(([, { path }]) => resolve(path) === resolve(options.report)))
    throw new ImportFailure(`The report would be written over ${options.report}: name another with --report.`);
  const session = await ImportSession.open(options.connectionString, options.store, options.dryRun);
  const report = new RejectionReport(options.report);
  const outcomes: Outcome[] = [];
  try {
    for (const [kind, file] of files) {
      const run = await ImportRun.begin(session, kind, file, options.mostRejected);
      const write = async () => {
        for await (const rejection of run.rejections()) await report.add(file.name, rejection);
      };
      // Of a file that could not be read to its end there is a report too, unless it is the database that has gone.
      const outcome = await importFile(kind, run, options).catch(async (error: unknown) => {
        await write().catch(() => undefined);
        throw error;
      });
      outcomes.push(outcome);
      await write();
      if (outcomes.at(-1)?.end === 'stopped') break;
    }
    const isToSettle = !options.dryRun && outcomes.some(({ imported }) => imported > 0);
    const settled = isToSettle ? await settleStore([session.client], session.store.id, options.isStopped) : undefined;
    return { outcomes, report: report.isWritten ? report.path : undefined, settled };
  } finally {
    await session.close();
    await report.close();
  }
}

async function importFile(
  kind: ImportKind,
  run: ImportRun,
  { isStopped, showProgress }: ImportOptions,
): Promise<Outcome> {
  const started = performance.now();
  const { file, isResumed: resumed } = run;
  const outcome = (end: Outcome['end']): Outcome => {
    const seconds = (performance.now() - started) / 1000;
    return { kind, file: file.name, end, resumed, seconds, ...run.counts };
  };
  if (run.done) return outcome('done before');
  const progress = new Progress(
    kind === 'CATALOG' ? 'Catalog' : 'Orders ',
    file.bytes,
    run.position.bytes,
    showProgress,
  );
  try {
    const whole =
      kind === 'CATALOG'
        ? await new ImportCatalog(run, progress, isStopped).import()
        : await new ImportOrders(
            run,
            await hashPassword(randomBytes(32).toString('hex')),
            progress,
            isStopped,
          ).import();
    return outcome(whole ? 'done' : 'stopped');
  } finally {
    progress.stop();
  }
}
