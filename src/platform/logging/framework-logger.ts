import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';

type Rest = [string?, ...unknown[]];

/** Nest tells each module and route it loads: a hundred lines before the one that says that Larder serves. Debug, here. */
export class FrameworkLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: Rest): void {
    this.logger.debug(message, ...rest);
  }

  fatal(message: unknown, ...rest: Rest): void {
    this.logger.fatal(message, ...rest);
  }

  error(message: unknown, ...rest: Rest): void {
    this.logger.error(message, ...rest);
  }

  warn(message: unknown, ...rest: Rest): void {
    this.logger.warn(message, ...rest);
  }

  debug(message: unknown, ...rest: Rest): void {
    this.logger.debug(message, ...rest);
  }

  verbose(message: unknown, ...rest: Rest): void {
    this.logger.verbose(message, ...rest);
  }
}
