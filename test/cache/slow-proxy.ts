import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a server on which everything takes longer, in the order in which it was sent. */
export class SlowProxy {
  delayMs = 0;
  /** The next answer to this is held up for so long, and what comes after it with it. */
  held?: { command: string; ms: number };

  private constructor(
    readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async to(target: number): Promise<SlowProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      let order = Promise.resolve();
      let heldMs = 0;
      upstream.on('data', (chunk) => {
        const delayed = sleep(heldMs || proxy.delayMs);
        heldMs = 0;
        order = order.then(() => delayed).then(() => void client.write(chunk));
      });
      client.on('data', (chunk) => {
        if (proxy.held && String(chunk).includes(proxy.held.command)) {
          heldMs = proxy.held.ms;
          proxy.held = undefined;
        }
        upstream.write(chunk);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new SlowProxy((server.address() as { port: number }).port, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }
}
