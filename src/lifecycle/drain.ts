import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a kept-alive connection may take to bring the request that its client has already sent. */
const LINGER_MS = 250;
const LOOK_EVERY_MS = 20;

/**
 * Winds up a server's connections without breaking off a request. Clients are told with each answer to let go of the
 * connection; closing idle ones at once, as server.close() does, would lose requests that are just on their way.
 */
export class Drain {
  private readonly sockets = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** From now on every answer says `connection: close`. New connections are still accepted. */
  begin(): void {
    this.server.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false;
    });
  }

  /**
   * Stops accepting and waits for the requests under way, `drainMs` at most.
   * @returns how many connections had to be cut off
   */
  async finish(drainMs: number): Promise<number> {
    const deadline = performance.now() + drainMs;
    const lingerUntil = Math.min(deadline, performance.now() + LINGER_MS);
    NetServer.prototype.close.call(this.server);
    while (this.sockets.size > 0 && performance.now() < deadline) {
      await sleep(LOOK_EVERY_MS);
      if (performance.now() >= lingerUntil) this.closeIdle();
    }
    const cutOff = this.sockets.size;
    this.server.closeAllConnections();
    return cutOff;
  }

  private closeIdle(): void {
    this.server.closeIdleConnections();
    // A connection that never brought a byte (browsers open some in advance) does not count as idle for Node.
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}
