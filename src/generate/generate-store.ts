import { createHash } from 'node:crypto';
import type pg from 'pg';
import { newId } from '../common/ids.js';
import { hashPassword } from '../modules/auth/passwords.js';
import { DEMO_PASSWORD } from '../demo/demo-stores.js';
import { FILL_ALONE, type Settled, settleStore } from '../import/settle-store.js';
import { CLOSING_POSTINGS, CLOSING_ROWS } from './closing.queries.js';
import type { Volume } from './draw.queries.js';
import { GenerateFailure } from './generate-failure.js';
import { GenerateSession } from './generate-session.js';
import { ledgerRows } from './money-rows.queries.js';
import { CLOSING_NEWS } from './news-rows.queries.js';
import { AGENTS_AND_ZONES, CATALOG, COUPON_ROWS, FIRST_STOCK, PEOPLE, STORE, WALLETS } from './opening.queries.js';
import { type ShelfVariant, stockShelf } from './shelf.js';
import { dayBegins, planYear, type PlannedDay } from './year-plan.js';

export interface GenerateOptions {
  connectionString: string;
  /** Of the store, which is made. */
  slug: string;
  orders: number;
  days: number;
  /** The same seed, days and moment of the end give the same store. */
  seed: number;
  currency: string;
  timezone: string;
  taxInclusive: boolean;
  /** The moment at which the shop stands still; of a store that was left unfinished, the one it was begun with. */
  until: Date;
  /** That generate at once: a core of the database's each. */
  connections: number;
  /** Of a commit, at least. */
  batchOrders?: number;
  /** Asked before each batch; what is committed stays. */
  isStopped: () => boolean;
  onProgress: (orders: number) => void;
}

export interface GenerateSummary {
  resumed: boolean;
  /** Of the store, now. */
  orders: number;
  finished: boolean;
  /** Undefined where it isn't finished. */
  settled: Settled | undefined;
}

/** One of a few dozen costs as much in planning as in rows. */
const BATCH_ORDERS = 5000;
const ZIP_CODES = Array.from({ length: 24 }, (_, index) => String(10_001 + index));
const UNFINISHED = ' (unfinished)';
/** Rows that were not there a minute ago: the planner is told of them before anybody asks for one. */
const FILLED = [
  'users, wallets, delivery_agents, products, variants, stock_levels, delivery_slots, carts, cart_lines, orders, order_lines',
  'stock_movements, order_history, coupon_uses, payments, payment_operations',
  'refunds, refund_lines, approvals, shipping_assignments, agent_shifts, remittances, ledger_transactions',
  'ledger_entries',
];

/**
 * Makes a store that has been open for a year, in batches of whole days, each one commit. Stopped or killed, the same command goes
 * on where it was: a day is there as a whole or not at all, and until all are there the store's name says that they aren't.
 * @throws GenerateFailure when there is a store of this name that isn't one left unfinished by the same command
 */
export async function generateStore(options: GenerateOptions): Promise<GenerateSummary> {
  const sessions = [await GenerateSession.open(options.connectionString)];
  try {
    const first = sessions[0]!;
    await takeLock(first.client, options.slug);
    const begun = await findBegun(first.client, options);
    const until = begun?.until ?? options.until;
    const chance = (what: string) => (n: number) => drawn(`${options.seed} ${what} ${n}`);
    const shelf = stockShelf(chance('variant'));
    const days = planYear(options.orders, options.days, until, options.timezone, chance('day'));
    const volume = volumeOf(options, begun?.id ?? newId(), until, days, shelf);
    await first.knowVolume(volume);
    await first.client.query(FILL_ALONE, [volume.storeId]);
    if (!begun) await open(first, volume, shelf, nameOf(options, until));
    const missing = inBatches(days, await daysThere(first.client, volume), options.batchOrders ?? BATCH_ORDERS);
    while (sessions.length < Math.min(options.connections, missing.length)) {
      const session = await GenerateSession.open(options.connectionString);
      sessions.push(session);
      await session.knowVolume(volume);
    }
    for (const session of sessions) await session.knowShelf();
    const orders = await fill(sessions, missing, options);
    const finished = orders === options.orders;
    if (finished) {
      await shareOut(FILLED, sessions, ({ client }, tables) => client.query(`ANALYZE ${tables}`));
      await close(first, volume, nameOf(options, until));
    }
    const clients = sessions.map(({ client }) => client);
    const settled = finished ? await settleStore(clients, volume.storeId, options.isStopped) : undefined;
    return { resumed: begun !== undefined, orders, finished, settled };
  } finally {
    for (const session of sessions) await session.close();
  }
}

function drawn(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

async function takeLock(client: pg.Client, slug: string): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('generate ' || $1, 0)) AS taken",
    [slug],
  );
  if (!rows[0]?.taken) throw new GenerateFailure(`The store ${slug} is being generated by somebody else.`);
}

function nameOf({ orders, days, seed }: GenerateOptions, until: Date): string {
  return `${orders} orders in ${days} days until ${until.toISOString()}, seed ${seed}`;
}

async function findBegun(
  client: pg.Client,
  options: GenerateOptions,
): Promise<{ id: string; until: Date } | undefined> {
  const { rows } = await client.query<{ id: string; name: string }>('SELECT id, name FROM stores WHERE slug = $1', [
    options.slug,
  ]);
  if (!rows[0]) return undefined;
  const { id, name } = rows[0];
  const until = new Date(/ until (\S+),/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(until.getTime()) || !name.endsWith(UNFINISHED))
    throw new GenerateFailure(`There is a store ${options.slug} already: choose another name with --store.`);
  if (name !== nameOf(options, until) + UNFINISHED)
    throw new GenerateFailure(
      `The store ${options.slug} was left unfinished, of ${name.slice(0, -UNFINISHED.length)}: go on with the same, or choose another name.`,
    );
  return { id, until };
}

function volumeOf(
  { slug, orders, days: length, seed, currency, timezone, taxInclusive }: GenerateOptions,
  storeId: string,
  until: Date,
  days: PlannedDay[],
  shelf: ShelfVariant[],
): Volume {
  return {
    storeId, slug, seed, currency, timezone, taxInclusive, until,
    from: dayBegins(days[0]!.day, timezone),
    customers: Math.max(20, Math.floor(orders / 20)),
    // Some twenty-five deliveries a day and agent.
    agents: Math.max(5, Math.floor(orders / length / 25)),
    variants: shelf.length,
    zipCodes: ZIP_CODES,
  }; // prettier-ignore
}

async function open(session: GenerateSession, volume: Volume, shelf: ShelfVariant[], name: string): Promise<void> {
  const passwordHash = await hashPassword(DEMO_PASSWORD);
  await session.transaction(async (client) => {
    await client.query(STORE, [name + UNFINISHED, volume.zipCodes]);
    for (const people of PEOPLE) await client.query(people, [passwordHash]);
    for (const statement of AGENTS_AND_ZONES) await client.query(statement, [volume.zipCodes]);
    for (const wallets of WALLETS) await client.query(wallets);
    for (const statement of CATALOG) await client.query(statement, [JSON.stringify(shelf)]);
    await client.query(FIRST_STOCK);
    await client.query(COUPON_ROWS);
  });
  await session.client.query('ANALYZE users, wallets, delivery_agents, products, variants, stock_levels');
}

/** Each has its windows, if nothing else. */
async function daysThere(client: pg.Client, volume: Volume): Promise<Set<string>> {
  const { rows } = await client.query<{ day: string }>(
    'SELECT DISTINCT (starts_at AT TIME ZONE $2)::date::text AS day FROM delivery_slots WHERE store_id = $1',
    [volume.storeId, volume.timezone],
  );
  return new Set(rows.map(({ day }) => day));
}

function inBatches(days: PlannedDay[], there: ReadonlySet<string>, least: number): PlannedDay[][] {
  const batches: PlannedDay[][] = [];
  let size = least;
  for (const day of days.filter((one) => !there.has(one.day))) {
    if (size >= least) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)?.push(day);
    size += day.orders;
  }
  return batches;
}

/** Each session takes what is next when it is done with the one before. */
async function shareOut<T>(
  all: T[],
  sessions: GenerateSession[],
  work: (session: GenerateSession, one: T) => Promise<unknown>,
): Promise<void> {
  const waiting = all.values();
  const ends = await Promise.allSettled(
    sessions.map(async (session) => {
      for (const one of waiting) await work(session, one);
    }),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Answers with the orders that are there in the end. */
async function fill(
  sessions: GenerateSession[],
  batches: PlannedDay[][],
  { isStopped, onProgress, orders }: GenerateOptions,
): Promise<number> {
  const ordersOf = (some: PlannedDay[]): number => some.reduce((all, day) => all + day.orders, 0);
  let there = orders - ordersOf(batches.flat());
  onProgress(there);
  await shareOut(batches, sessions, async (session, batch) => {
    if (isStopped()) return;
    await session.generate(batch);
    there += ordersOf(batch);
    onProgress(there);
  });
  return there;
}

async function close(session: GenerateSession, volume: Volume, name: string): Promise<void> {
  await session.transaction(async (client) => {
    for (const statement of CLOSING_ROWS) await client.query(statement);
    await client.query(ledgerRows(CLOSING_POSTINGS));
    await client.query(CLOSING_NEWS);
    await client.query('UPDATE stores SET name = $2 WHERE id = $1', [volume.storeId, name]);
  });
  await session.client.query('ANALYZE outbox_events, idempotency_keys, withdrawals');
}
