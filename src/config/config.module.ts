import { type DynamicModule, Global, Module } from '@nestjs/common';
import { LarderConfig } from './config.js';

/** What was read before Nest started. */
@Global()
@Module({})
export class ConfigModule {
  static of(config: LarderConfig): DynamicModule {
    return {
      module: ConfigModule,
      providers: [{ provide: LarderConfig, useValue: config }],
      exports: [LarderConfig],
    };
  }
}
