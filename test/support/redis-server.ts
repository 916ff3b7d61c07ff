import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { librariesOf } from './redis-binary.js';

/** A real Redis of the test's own, which it may kill, freeze, fill and start again on the same port. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly options: string[],
    private process: ChildProcess,
  ) {}

  static async start(...options: string[]): Promise<RedisServer> {
    const port = await freePort();
    return new RedisServer(port, options, await launch(port, options));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Stops it between two instructions: connections stay, nothing is answered. */
  freeze(): void {
    this.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.process.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }

  /** Empty again, as one without persistence is. */
  async restart(): Promise<void> {
    await this.kill();
    this.process = await launch(this.port, this.options);
  }

  /** A connection of the test's own, for the time of one function. */
  async with<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { lazyConnect: true });
    await redis.connect();
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}

/** Below those that systems give out by themselves: nobody else gets it while the server on it is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(10_000, 32_768), '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function launch(port: number, options: string[]): Promise<ChildProcess> {
  const binary = process.env.TEST_REDIS_SERVER;
  if (!binary) throw new Error('TEST_REDIS_SERVER is not set: run the tests with npm test, which finds one');
  const memoryOnly = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const child = spawn(binary, ['--port', String(port), ...memoryOnly, ...options], {
    env: { ...process.env, ...librariesOf(binary) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Whatever ends the tests ends it too.
  process.once('exit', () => child.kill('SIGKILL'));
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept connections')) break;
  child.stdout.resume();
  return child;
}
