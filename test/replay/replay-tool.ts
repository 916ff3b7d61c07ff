import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import type { TestApp } from '../support/app.js';

export interface ToolRun {
  exitCode: number | null;
  output: string;
}

export interface RunningTool {
  kill(): void;
  ended: Promise<ToolRun>;
}

/** The tool as npm runs it: a process of its own. */
export function startReplay(args: string[]): RunningTool {
  const main = resolve('tools/replay/main.ts');
  const child = spawn(process.execPath, ['--no-warnings', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  child.stderr.on('data', (text) => (output += String(text)));
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return { kill: () => child.kill('SIGKILL'), ended };
}

export function argumentsFor(app: TestApp, file: string, folder: string): string[] {
  const databaseUrl = app.config.DATABASE_URL ?? '';
  return [file, '--url', app.url, '--database-url', databaseUrl, '--report', `${folder}/rejected.csv`];
}

export interface FaultyLine {
  url: string;
  cuts: number;
  close(): void;
}

const ANSWERS_PER_CUT = 12;
const OUTAGE_AFTER_CUTS = 5;
const OUTAGE_MS = 1500;

/**
 * Between the tool and Larder: every twelfth answer is thrown away after Larder has done the work, as when it dies between
 * commit and answer; and for a while nobody is there at all.
 */
export async function startFaultyLine(targetUrl: string): Promise<FaultyLine> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const line: FaultyLine = { url: '', cuts: 0, close: () => undefined };
  let answers = 0;
  let deadUntil = 0;
  const server = createServer((client) => {
    if (Date.now() < deadUntil) return void client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    const cut = (): void => void [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) sockets.add(socket.on('error', cut).on('close', cut));
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      answers += 1;
      if (answers % ANSWERS_PER_CUT > 0) return void client.write(chunk);
      line.cuts += 1;
      if (line.cuts === OUTAGE_AFTER_CUTS) deadUntil = Date.now() + OUTAGE_MS;
      cut();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  line.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  line.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return line;
}
