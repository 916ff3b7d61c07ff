import { type DynamicModule, Global, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { LarderLogger } from './larder-logger.js';

/**
 * The process's log, made before Nest so that it can tell of a start that fails.
 * nestjs-pino carries the framework's own lines; its middleware is off (no routes): one onResponse hook writes the line of a
 * request (ADR 9).
 */
@Global()
@Module({})
export class LoggingModule {
  static of(logger: Logger): DynamicModule {
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot({ pinoHttp: { logger }, forRoutes: [] })],
      providers: [{ provide: LarderLogger, useValue: new LarderLogger(logger) }],
      exports: [LarderLogger],
    };
  }
}
