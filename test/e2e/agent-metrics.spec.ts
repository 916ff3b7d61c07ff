import fc from 'fast-check';
import { newId } from '../../src/common/ids.js';
import type { AgentMetricsResponse } from '../../src/modules/shipping/dto/agent-metrics.dto.js';
import { type TestStore, type TestUser, tokenFor } from '../support/factories.js';
import { Shop } from '../support/shop.js';
import {
  AGENTS,
  atMinute,
  BEGINNING,
  histories,
  type History,
  MINUTES,
  ranges,
  writeHistory,
} from './agent-metrics.scene.js';

/** Rows as the naive recomputation reads them: all of them, and nothing but rows. */
interface Assignment {
  order_id: string;
  agent_id: string | null;
  status: string;
  offered_at: Date;
  accepted_at: Date | null;
  picked_up_at: Date | null;
  delivered_at: Date | null;
  closed_at: Date | null;
  promised_at: Date;
}
interface Declined {
  agent_id: string;
  created_at: Date;
}
interface Range {
  from: Date;
  to: Date;
}
type Figures = Omit<AgentMetricsResponse, 'agentId' | 'name' | 'from' | 'to' | 'cashInHand'>;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop.close());

/** A store of its own with this history, its manager and its agents. */
const scene = async (history: History) => {
  const store = await shop.make.store(`s-${newId()}`);
  const agents: TestUser[] = [];
  for (let i = 0; i < AGENTS; i++) agents.push(await shop.make.agent(store));
  await writeHistory(shop, store, await shop.make.user(store), agents, history);
  const manager = { ...agents[0]!, bearer: `Bearer ${await tokenFor(store, newId(), ['MANAGER'])}` };
  return { store, agents, manager };
};
const query = ({ from, to }: Range) => `from=${from.toISOString()}&to=${to.toISOString()}`;
const metricsOf = async (agent: TestUser, range: Range, user: TestUser): Promise<AgentMetricsResponse> => {
  const path = `/api/shipping/agents/${agent.id}/metrics?${query(range)}`;
  return (await shop.ask('get', path, user).expect(200)).body as AgentMetricsResponse;
};
const leaders = async (range: Range, user: TestUser, more = ''): Promise<AgentMetricsResponse[]> => {
  const answer = await shop.ask('get', `/api/shipping/agents/leaderboard?${query(range)}${more}`, user).expect(200);
  return (answer.body as { items: AgentMetricsResponse[] }).items;
};
const rowsOf = async (store: TestStore) => {
  const { sql } = shop.larder;
  const { rows } = await sql.query<Assignment>('SELECT * FROM shipping_assignments WHERE store_id = $1', [store.id]);
  const declined = await sql.query<Declined>('SELECT * FROM assignment_rejections WHERE store_id = $1', [store.id]);
  return { rows, declined: declined.rows };
};
const figures = ({ agentId: _a, name: _n, from: _f, to: _t, cashInHand: _c, ...rest }: AgentMetricsResponse): Figures =>
  rest;

/** docs/metrics.md, word by word. */
function naive(agentId: string, all: Assignment[], declined: Declined[], { from, to }: Range): Figures {
  const isIn = (at: Date | null): boolean => at !== null && at >= from && at < to;
  const ended = all.filter((one) => one.agent_id === agentId && isIn(one.closed_at));
  const inStatus = (status: string) => ended.filter((one) => one.status === status);
  const accepted = ended.filter((one) => one.accepted_at !== null);
  const turnedDown = declined.filter((one) => one.agent_id === agentId && isIn(one.created_at)).length;
  const rejected = inStatus('REJECTED').length + turnedDown;
  const expired = inStatus('EXPIRED').length;
  const delivered = inStatus('DELIVERED');
  const attempts = ended.filter(
    (one) => one.picked_up_at !== null && (one.status === 'DELIVERED' || one.status === 'FAILED'),
  );
  const first = attempts.filter(
    (one) =>
      !all.some(
        (earlier) =>
          earlier.order_id === one.order_id &&
          earlier.status === 'FAILED' &&
          earlier.picked_up_at !== null &&
          earlier.picked_up_at < one.picked_up_at!,
      ),
  );
  return {
    offers: { accepted: accepted.length, rejected, expired },
    acceptance: share(accepted.length, accepted.length + rejected + expired),
    timeToAccept: spread(accepted.map((one) => one.accepted_at!.getTime() - one.offered_at.getTime())),
    timeToPickUp: spread(
      ended.flatMap((one) => (one.picked_up_at ? [one.picked_up_at.getTime() - one.accepted_at!.getTime()] : [])),
    ),
    timeToDeliver: spread(delivered.map((one) => one.delivered_at!.getTime() - one.picked_up_at!.getTime())),
    deliveries: delivered.length,
    failures: inStatus('FAILED').length,
    onTime: share(delivered.filter((one) => one.delivered_at! <= one.promised_at).length, delivered.length),
    firstAttempt: share(first.filter(({ status }) => status === 'DELIVERED').length, first.length),
  };
}

function share(count: number, of: number) {
  return { count, of, rate: of === 0 ? null : Number((count / of).toFixed(4)) };
}

/** Nearest rank, counted out: the first value, going up, that at least so many percent of all don't exceed. */
function spread(values: number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number): number | null => {
    const found = sorted.find((_value, index) => (index + 1) * 100 >= percent * sorted.length);
    return found === undefined ? null : found / 1000;
  };
  return { count: values.length, p50Seconds: rank(50), p95Seconds: rank(95) };
}

/** So that deliveries are compared in every run, whatever is drawn beside them. */
const DELIVERIES: History = Array.from({ length: 17 }, (_, n) => [
  {
    agent: n % AGENTS,
    isOpen: false,
    outcome: 'DELIVERED',
    waits: [n, 1, 2, 3],
    promised: 15,
    declinedBy: [],
    declinedAfter: 0,
  },
]);
const WHOLE = { from: atMinute(0), to: atMinute(MINUTES) };

describe('the metrics of agents', () => {
  it('are what a naive recomputation of random histories says, in any range', async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(histories, fc.array(ranges, { minLength: 2, maxLength: 3 }), async (history, drawn) => {
        const { store, agents, manager } = await scene(history);
        const { rows, declined } = await rowsOf(store);
        const all = { from: atMinute(0), to: atMinute(10 * MINUTES) };
        for (const range of [all, ...drawn]) {
          const told = new Map<string, Figures>();
          for (const agent of agents) {
            const answer = figures(await metricsOf(agent, range, manager));
            expect(answer).toEqual(naive(agent.id, rows, declined, range));
            told.set(agent.id, answer);
            seen += answer.deliveries;
          }
          const board = await leaders(range, manager);
          expect(board.map((one) => [one.agentId, figures(one)])).toEqual(
            [...told]
              .filter(([, { offers }]) => offers.accepted + offers.rejected + offers.expired > 0)
              .sort(([a, one], [b, other]) => {
                const more = other.deliveries - one.deliveries;
                const better = (other.onTime.rate ?? -1) - (one.onTime.rate ?? -1);
                return more || better || (a < b ? -1 : 1);
              }),
          );
        }
      }),
      { numRuns: 20, endOnFailure: true, examples: [[DELIVERIES, [WHOLE, WHOLE]]] },
    );
    expect(seen).toBeGreaterThan(50);
  });

  it('are nothing where nothing happened, and no more than nothing in an empty range', async () => {
    const { agents, manager } = await scene([]);
    const nothing = naive('', [], [], { from: atMinute(0), to: atMinute(1) });
    const answer = await metricsOf(agents[0]!, { from: atMinute(0), to: atMinute(0) }, manager);
    expect(figures(answer)).toEqual(nothing);
    expect(nothing).toMatchObject({ acceptance: { rate: null }, timeToAccept: { count: 0, p50Seconds: null } });
    expect(await leaders({ from: atMinute(0), to: atMinute(1) }, manager)).toEqual([]);
    expect(answer.cashInHand).toEqual({ amount: 0, currency: 'USD' });
  });

  it('count what ended at the beginning of a range, and not what ended at its end', async () => {
    const one = {
      agent: 0,
      isOpen: false,
      outcome: 'DELIVERED' as const,
      waits: [0, 1, 2, 3] as [number, number, number, number],
      promised: 6,
      declinedBy: [],
      declinedAfter: 0,
    };
    const { agents, manager } = await scene([[one]]);
    const deliveries = async (from: number, to: number) =>
      (await metricsOf(agents[0]!, { from: atMinute(from), to: atMinute(to) }, manager)).deliveries;
    expect(await deliveries(6, 7)).toBe(1);
    expect(await deliveries(0, 6)).toBe(0);
    expect(await deliveries(0, 7)).toBe(1);
    const { onTime, timeToDeliver } = await metricsOf(agents[0]!, { from: atMinute(6), to: atMinute(7) }, manager);
    expect(onTime).toEqual({ count: 1, of: 1, rate: 1 });
    expect(timeToDeliver).toEqual({ count: 1, p50Seconds: 180, p95Seconds: 180 });
  });

  it('are for the agent himself and for staff; the board is for staff', async () => {
    const { agents, store } = await scene([]);
    const [ann, bob] = agents as [TestUser, TestUser];
    const range = { from: atMinute(0), to: atMinute(1) };
    const path = (id: string) => `/api/shipping/agents/${id}/metrics?${query(range)}`;
    const support = { ...ann, bearer: `Bearer ${await tokenFor(store, newId(), ['SUPPORT'])}` };
    for (const user of [ann, support]) await shop.ask('get', path(ann.id), user).expect(200);
    await shop.ask('get', path(ann.id), bob).expect(404);
    await shop.ask('get', path(newId()), support).expect(404);
    await shop.ask('get', '/api/shipping/agents/leaderboard', ann).expect(403);
    await shop.ask('get', '/api/shipping/agents/leaderboard', support).expect(200);
    await shop.ask('get', '/api/shipping/agents/leaderboard?limit=101', support).expect(400);
  });

  it('are those of the last thirty days where nothing is said', async () => {
    const { agents, manager } = await scene([]);
    const answer = await shop.ask('get', `/api/shipping/agents/${agents[0]!.id}/metrics`, manager).expect(200);
    const { from, to } = answer.body as AgentMetricsResponse;
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * 86_400_000);
    expect(Date.parse(to)).toBeGreaterThan(BEGINNING);
  });
});

describe('what the metrics are computed from', () => {
  it('is written once, and ends once', async () => {
    const history: History = [
      [
        {
          agent: 0,
          isOpen: true,
          outcome: 'DELIVERED',
          waits: [1, 1, 1, 1],
          promised: 9,
          declinedBy: [1],
          declinedAfter: 1,
        },
      ],
    ];
    const { store } = await scene(history);
    const { sql } = shop.larder;
    const change = (table: string, what: string) =>
      sql.query(`UPDATE ${table} SET ${what} WHERE store_id = $1`, [store.id]);
    for (const column of ['offered_at', 'accepted_at', 'picked_up_at', 'delivered_at', 'closed_at', 'promised_at']) {
      const moved = change('shipping_assignments', `${column} = ${column} + interval '1 second'`);
      await expect(moved).rejects.toThrow('written once');
    }
    for (const what of [`status = 'FAILED'`, 'agent_id = NULL', 'cash_collected = 5']) {
      await expect(change('shipping_assignments', what)).rejects.toThrow('stays as it ended');
    }
    await expect(change('assignment_rejections', 'created_at = now()')).rejects.toThrow('append-only');
    await expect(sql.query('DELETE FROM assignment_rejections')).rejects.toThrow('append-only');
    await expect(change('shipping_assignments', `closed_at = NULL, status = 'PICKED_UP'`)).rejects.toThrow(
      'written once',
    );
  });
});
