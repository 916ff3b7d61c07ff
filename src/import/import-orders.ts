import type { DatabaseError } from 'pg';
import { type BuiltOrder, buildOrder, rejectionsOf } from './build-order.js';
import { type FilePosition, readRecords } from './csv-file.js';
import type { Counts, ImportRun } from './import-run.js';
import { type Grouped, OrderGrouper } from './order-groups.js';
import { IMPORT_ORDERS, type OrderFateRow, PREPARE_ORDER_BATCHES } from './order-batch.queries.js';
import type { Progress } from './progress.js';
import { isRefusedData, reasonOf } from './refused-data.js';
import { CLEAR_STAGE } from './stage-orders.queries.js';
import type { Rejection } from './rejection.js';

/** A batch is a transaction: large enough that its commit costs nothing, small enough for a second's work. */
const BATCH_ORDERS = 500;
const BATCH_LINES = 5000;

interface Batch {
  orders: BuiltOrder[];
  rejections: Rejection[];
  lines: number;
}

interface Written {
  imported: number;
  present: number;
  rejections: Rejection[];
}

/** Historic orders: written as they were, at their own times and prices, without moving stock or telling anybody. */
export class ImportOrders {
  constructor(
    private readonly run: ImportRun,
    /** A hash of it: people who are made by an import can't log in. */
    private readonly nobodysPassword: string,
    private readonly progress: Progress,
    private readonly isStopped: () => boolean,
  ) {}

  /** Reads on while the batch before is written. False when it was stopped before the end. */
  async import(): Promise<boolean> {
    const { run } = this;
    await run.session.client.query(PREPARE_ORDER_BATCHES);
    let batch: Batch = { orders: [], rejections: [], lines: 0 };
    let writing = Promise.resolve();
    const write = async (position: FilePosition): Promise<void> => {
      await writing;
      writing = this.write(batch, position);
      // It is waited for before the next one; until then nobody listens.
      writing.catch(() => undefined);
      batch = { orders: [], rejections: [], lines: 0 };
    };
    for await (const { group, rejections, next } of this.groups()) {
      batch.rejections.push(...rejections);
      if (group) this.add(batch, group);
      const full = batch.orders.length >= BATCH_ORDERS || batch.lines + batch.rejections.length >= BATCH_LINES;
      if (next === null || !full) continue;
      await write({ bytes: next.start, lines: next.line - 1 });
      if (this.isStopped()) return writing.then(() => false);
    }
    await write({ bytes: run.file.bytes, lines: run.position.lines });
    await writing;
    await run.finish();
    return true;
  }

  private async *groups(): AsyncGenerator<Grouped> {
    const { file, position } = this.run;
    const grouper = new OrderGrouper(file.columns);
    for await (const records of readRecords(file, position)) yield* grouper.push(records);
    yield* grouper.end();
  }

  private add(batch: Batch, group: NonNullable<Grouped['group']>): void {
    const { file, session } = this.run;
    const built = buildOrder(group, file.columns, session.store);
    if (Array.isArray(built)) batch.rejections.push(...built);
    else batch.orders.push(built);
    batch.lines += group.lines.length;
  }

  /** All of it in one transaction, with how far the file is then. */
  private async write(batch: Batch, position: FilePosition): Promise<void> {
    const { session } = this.run;
    const commit = async (work: (orders: BuiltOrder[]) => Promise<Written>): Promise<Counts> =>
      session.transaction(async () => {
        const { imported, present, rejections } = await work(batch.orders);
        const all = [...batch.rejections, ...rejections];
        await this.run.advance(position, { imported, present }, all);
        return { imported, present, rejected: all.length };
      });
    const counts = await commit((orders) => this.writeOrders(orders)).catch((error: DatabaseError) => {
      if (!isRefusedData(error)) throw error;
      return commit((orders) => this.writeOneByOne(orders));
    });
    await this.run.advanced(position, counts);
    this.progress.at(position.bytes, this.run.counts);
  }

  private async writeOrders(orders: BuiltOrder[]): Promise<Written> {
    const { session, id: importId } = this.run;
    const { client, store, dryRun } = session;
    if (orders.length === 0) return { imported: 0, present: 0, rejections: [] };
    const { rows: fates } = await client.query<OrderFateRow>(IMPORT_ORDERS, [
      store.id,
      importId,
      this.nobodysPassword,
      dryRun,
      JSON.stringify(orders.map(({ row }) => row)),
      JSON.stringify(orders.flatMap(({ lines }) => lines)),
      JSON.stringify(orders.flatMap(({ steps }) => steps)),
    ]);
    const present = fates.filter(({ fate }) => fate === 'PRESENT').length;
    return { imported: orders.length - fates.length, present, rejections: rejected(orders, fates) };
  }

  /** For a batch with an order that a constraint refuses: that one is rejected, the others are written. */
  private async writeOneByOne(orders: BuiltOrder[]): Promise<Written> {
    const { client } = this.run.session;
    const written: Written = { imported: 0, present: 0, rejections: [] };
    for (const order of orders) {
      await client.query('SAVEPOINT before_order');
      try {
        const { imported, present, rejections } = await this.writeOrders([order]);
        written.imported += imported;
        written.present += present;
        written.rejections.push(...rejections);
        // The ledger is checked here and not at the commit, which couldn't say whose it is.
        await client.query('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED');
      } catch (error) {
        if (!isRefusedData(error as DatabaseError)) throw error;
        await client.query('ROLLBACK TO SAVEPOINT before_order');
        written.rejections.push(...refused(order, error as DatabaseError));
      }
      await client.query(`RELEASE SAVEPOINT before_order; ${CLEAR_STAGE}`);
    }
    return written;
  }
}

function rejected(orders: BuiltOrder[], fates: OrderFateRow[]): Rejection[] {
  const byId = new Map(orders.map((order) => [order.row.id, order]));
  return fates
    .filter(({ fate }) => fate !== 'PRESENT')
    .flatMap(({ id, fate, line }) => {
      const { group } = byId.get(id)!;
      return rejectionsOf(group, new Map([[group.lines[line - 1]!.record.line, fate]]));
    });
}

function refused({ group }: BuiltOrder, error: DatabaseError): Rejection[] {
  return rejectionsOf(group, new Map([[group.lines[0]!.record.line, reasonOf(error)]]));
}
