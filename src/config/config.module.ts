import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { PINO } from '../platform/logging/pino.token.js';
import { LarderConfig } from './config.js';

/** What exists before Nest does: the configuration and the log. */
@Global()
@Module({})
export class ConfigModule {
  static of(config: LarderConfig, logger: Logger): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: LarderConfig, useValue: config },
        { provide: PINO, useValue: logger },
      ],
      exports: [LarderConfig, PINO],
    };
  }
}
