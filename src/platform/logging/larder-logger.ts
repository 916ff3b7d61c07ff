import { Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { LogEntry } from '../../common/interfaces/log-entry.interface.js';
import { currentContext } from '../../common/request-context.js';

/** Writes LogEntry lines, with the request they belong to. */
@Injectable()
export class LarderLogger {
  constructor(private readonly pino: Logger) {}

  debug(entry: LogEntry): void {
    this.pino.debug(withRequest(entry));
  }

  info(entry: LogEntry): void {
    this.pino.info(withRequest(entry));
  }

  warn(entry: LogEntry): void {
    this.pino.warn(withRequest(entry));
  }

  error(entry: LogEntry): void {
    this.pino.error(withRequest(entry));
  }
}

function withRequest(entry: LogEntry): LogEntry {
  const context = currentContext();
  return context ? { requestId: context.requestId, userId: context.userId, ...entry } : entry;
}
