import { ConfigurationError } from '../config/config.js';

/** A start that can't go on, for a reason that the person at the terminal can remove; the message says how. */
export class StartFailure extends Error {}

/** What to tell at the terminal; undefined when it is no such reason but a mistake of ours. */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof ConfigurationError || error instanceof StartFailure) return error.message;
  // By name: the embedded database's module is loaded only where it is used.
  if (error instanceof Error && /^EmbeddedDatabase\w*Error$/.test(error.name)) return error.message;
  return undefined;
}

/** Turns the system's code for a failed listen() into what to do about it. */
export function listenFailure(error: unknown, port: number, host: string): unknown {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartFailure(`Port ${port} is taken by another program. Stop it, or start Larder with another PORT.`);
    case 'EACCES':
      return new StartFailure(`This user may not listen on port ${port}. Start Larder with a PORT of 1024 or above.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartFailure(`HOST: ${host} is no address of this machine. 0.0.0.0 listens on all of them.`);
    default:
      return error;
  }
}

/** The same for the database that DATABASE_URL names. Never shows the URL: it holds a password. */
export function databaseFailure(error: unknown): unknown {
  const code = codeOf(error);
  if (/^E[A-Z_]+$/.test(code)) {
    return new StartFailure(`DATABASE_URL: its server can't be reached (${code}). Start it, or correct the address.`);
  }
  if (/^(28|3D|57P03|53300)/.test(code)) {
    return new StartFailure(`DATABASE_URL: its server refuses the connection: ${(error as Error).message}.`);
  }
  return error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
