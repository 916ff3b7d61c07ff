import fc from 'fast-check';
import { newId } from '../../src/common/ids.js';
import type { Shop } from '../support/shop.js';
import type { TestStore, TestUser } from '../support/factories.js';

/** Europe goes over to summer time an hour and a half later: no figure may notice. */
export const BEGINNING = Date.parse('2026-03-28T23:30:00Z');
/** Everything happens at full minutes, so that it often happens at the same time, and at the very ends of a range. */
const MINUTE_MS = 60_000;
export const MINUTES = 180;

export const atMinute = (minute: number): Date => new Date(BEGINNING + minute * MINUTE_MS);

type Outcome =
  | 'OFFERED'
  | 'ACCEPTED'
  | 'PICKED_UP'
  | 'REJECTED'
  | 'EXPIRED'
  | 'CANCELLED'
  | 'TAKEN_BACK'
  | 'FAILED'
  | 'FAILED_EARLY'
  | 'DELIVERED';

/** An assignment as it is drawn: each wait in minutes after the one before it. */
interface Drawn {
  agent: number;
  isOpen: boolean;
  outcome: Outcome;
  waits: [number, number, number, number];
  promised: number;
  declinedBy: number[];
  declinedAfter: number;
}

export type History = Drawn[][];

export const AGENTS = 3;
const minutes = (max: number) => fc.integer({ min: 0, max });
const drawn: fc.Arbitrary<Drawn> = fc.record({
  agent: fc.integer({ min: 0, max: AGENTS - 1 }),
  isOpen: fc.boolean(),
  outcome: fc.constantFrom<Outcome>(
    'REJECTED',
    'EXPIRED',
    'CANCELLED',
    'TAKEN_BACK',
    'FAILED',
    'FAILED_EARLY',
    'DELIVERED',
    'DELIVERED',
    'DELIVERED',
    'OFFERED',
    'ACCEPTED',
    'PICKED_UP',
  ),
  waits: fc.tuple(minutes(40), minutes(8), minutes(20), minutes(40)),
  promised: minutes(90),
  declinedBy: fc.uniqueArray(fc.integer({ min: 0, max: AGENTS - 1 }), { maxLength: 2 }),
  declinedAfter: minutes(5),
});

/** Orders, each with the assignments that it had one after the other. */
export const histories: fc.Arbitrary<History> = fc.array(fc.array(drawn, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 25,
});

export const ranges = fc.tuple(minutes(MINUTES), minutes(MINUTES)).map(([a, b]) => ({
  from: atMinute(Math.min(a, b)),
  to: atMinute(Math.max(a, b)),
}));

/** Ends an order's chain: nothing comes after what is under way or delivered. */
const LAST: readonly Outcome[] = ['OFFERED', 'ACCEPTED', 'PICKED_UP', 'DELIVERED'];

interface Row {
  id: string;
  order: string;
  agent: string | null;
  status: string;
  offered: Date;
  accepted: Date | null;
  pickedUp: Date | null;
  delivered: Date | null;
  closed: Date | null;
  promised: Date;
}

/** Writes a history down as rows, without passing through what it is to measure. */
export async function writeHistory(
  { larder: { sql } }: Shop,
  store: TestStore,
  customer: TestUser,
  agents: TestUser[],
  history: History,
): Promise<void> {
  const rows: Row[] = [];
  const declined: { assignment: string; agent: string; at: Date }[] = [];
  for (const chain of history) {
    const order = newId();
    let minute = 0;
    for (const one of chain) {
      const { row, ended } = rowOf(one, order, agents, minute);
      rows.push(row);
      if (one.isOpen) {
        const at = new Date(row.offered.getTime() + one.declinedAfter * MINUTE_MS);
        for (const by of one.declinedBy) declined.push({ assignment: row.id, agent: agents[by]!.id, at });
      }
      if (LAST.includes(one.outcome)) break;
      minute = ended;
    }
  }
  await sql.query(
    `INSERT INTO orders (
       store_id, id, number, customer_id, status, payment_method, currency, subtotal, total, delivery_address, delivery_zip,
       delivery_code, promised_at
     )
     SELECT $1, o.id, left(o.id::text, 8) || right(o.id::text, 12), $2, 'CONFIRMED', 'COD', 'USD', 0, 0, '{}', '10001', '123456', now()
       FROM unnest($3::uuid[]) AS o (id)`,
    [store.id, customer.id, [...new Set(rows.map(({ order }) => order))]],
  );
  await sql.query(
    `INSERT INTO shipping_assignments (
       store_id, id, order_id, agent_id, status, zip, currency, offered_at, accepted_at, picked_up_at, delivered_at, closed_at,
       promised_at
     )
     SELECT $1, r.id, r."order", r.agent, r.status, '10001', 'USD', r.offered, r.accepted, r."pickedUp", r.delivered, r.closed,
            r.promised
       FROM jsonb_to_recordset($2) AS r (
         id uuid, "order" uuid, agent uuid, status text, offered timestamptz, accepted timestamptz, "pickedUp" timestamptz,
         delivered timestamptz, closed timestamptz, promised timestamptz
       )`,
    [store.id, JSON.stringify(rows)],
  );
  await sql.query(
    `INSERT INTO assignment_rejections (store_id, assignment_id, agent_id, created_at)
     SELECT $1, r.assignment, r.agent, r.at
       FROM jsonb_to_recordset($2) AS r (assignment uuid, agent uuid, at timestamptz)`,
    [store.id, JSON.stringify(declined)],
  );
}

function rowOf(one: Drawn, order: string, agents: TestUser[], begun: number): { row: Row; ended: number } {
  const { outcome, isOpen } = one;
  const [offered, accepted, pickedUp, ended] = one.waits.reduce<number[]>(
    (times, wait) => [...times, (times.at(-1) ?? begun) + wait],
    [],
  ) as [number, number, number, number];
  const wasPickedUp = ['PICKED_UP', 'FAILED', 'DELIVERED'].includes(outcome);
  const wasAccepted = wasPickedUp || ['ACCEPTED', 'TAKEN_BACK', 'FAILED_EARLY'].includes(outcome);
  const isActive = ['OFFERED', 'ACCEPTED', 'PICKED_UP'].includes(outcome);
  // What is turned down by the one it was offered to was his alone.
  const isOnesOwn = wasAccepted || !isOpen || outcome === 'REJECTED';
  const status = { TAKEN_BACK: 'CANCELLED', FAILED_EARLY: 'FAILED' }[outcome as string] ?? outcome;
  const row: Row = {
    id: newId(),
    order,
    agent: isOnesOwn ? agents[one.agent]!.id : null,
    status,
    offered: atMinute(offered),
    accepted: wasAccepted ? atMinute(accepted) : null,
    pickedUp: wasPickedUp ? atMinute(pickedUp) : null,
    delivered: outcome === 'DELIVERED' ? atMinute(ended) : null,
    closed: isActive ? null : atMinute(ended),
    promised: atMinute(one.promised),
  };
  return { row, ended: ended + 1 };
}
