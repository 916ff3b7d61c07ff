import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { loadConfig } from '../../src/config/config.js';
import { createPool } from '../../src/platform/prisma/pool.js';
import { QueryObserver } from '../../src/platform/prisma/query-observer.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const ACQUIRE_MS = 1000;
const AT_ONCE = 10;

/** Stands before PostgreSQL; connections that it is told to hold get no further. */
class Door {
  readonly sockets = new Set<Socket>();
  private readonly server: Server;
  held = false;
  came = 0;

  constructor(private readonly target: URL) {
    this.server = createServer((socket) => this.admit(socket));
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return url.href;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private admit(socket: Socket): void {
    this.came += 1;
    this.keep(socket);
    if (this.held) return;
    const onward = dial(Number(this.target.port), this.target.hostname);
    this.keep(onward);
    socket.pipe(onward).pipe(socket);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}

let database: TestDatabase;
let door: Door;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  door = new Door(new URL(database.url));
  const config = loadConfig({ NODE_ENV: 'test', DATABASE_URL: await door.open(), POOL_SIZE: '3' });
  const limits = { logMs: config.SLOW_QUERY_LOG_MS, warnMs: config.SLOW_QUERY_WARN_MS };
  pool = createPool(
    { ...config, POOL_ACQUIRE_TIMEOUT_MS: ACQUIRE_MS },
    new QueryObserver(limits, { warn: () => undefined, info: () => undefined, debug: () => undefined } as never),
  );
});
afterEach(async () => {
  door.close();
  await pool.end();
});
afterAll(() => database.drop());

const select = () => pool.query<{ one: number }>('SELECT 1 AS one');
const outcome = (asked: Promise<unknown>) =>
  asked.then(
    () => 'answered',
    (error: Error) => error.message,
  );

describe('a pool whose next connection takes long to open', () => {
  it('answers with the one that is free first', async () => {
    const only = await pool.connect();
    door.held = true;
    const asked = Array.from({ length: AT_ONCE }, () => outcome(select()));
    await sleep(20);
    only.release();
    expect(await Promise.all(asked)).toEqual(Array.from({ length: AT_ONCE }, () => 'answered'));
  });

  it('says so to who gets none within his time', async () => {
    door.held = true;
    expect(await outcome(select())).toMatch(/timeout/);
    door.held = false;
    expect(await outcome(select())).toBe('answered');
  });
});

describe('a pool that many ask at once', () => {
  it('opens no more connections than it may have, and answers all', async () => {
    pool.options.connectionTimeoutMillis = 30_000;
    const asked = Array.from({ length: 20 * AT_ONCE }, () => outcome(select()));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['answered']));
    expect(door.came).toBeLessThanOrEqual(3);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([door.came, door.came, 0]);
  });

  it('opens one for each that is in use, up to its size', async () => {
    const taken = [await pool.connect(), await pool.connect(), await pool.connect()];
    expect([door.came, pool.totalCount]).toEqual([3, 3]);
    const fourth = pool.connect();
    taken[0]!.release(true);
    taken[0] = await fourth;
    expect([door.came, pool.totalCount]).toEqual([4, 3]);
    for (const client of taken) client.release();
  });

  it('tells every one of them at once when there is no server', async () => {
    door.close();
    const started = performance.now();
    const told = await Promise.all(Array.from({ length: AT_ONCE }, () => outcome(select())));
    expect(told.filter((message) => message.includes('ECONNREFUSED'))).toHaveLength(AT_ONCE);
    expect(performance.now() - started).toBeLessThan(ACQUIRE_MS);
    expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0]);
  });
});
