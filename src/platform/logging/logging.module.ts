import { Global, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { PINO } from './pino.token.js';
import { LarderLogger } from './larder-logger.js';

/**
 * nestjs-pino carries the framework's own lines; its middleware is off (no routes), since one onResponse hook writes a line
 * per request for a tenth of the cost.
 */
@Global()
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [PINO],
      useFactory: (logger: Logger) => ({ pinoHttp: { logger }, forRoutes: [] }),
    }),
  ],
  providers: [{ provide: LarderLogger, useFactory: (logger: Logger) => new LarderLogger(logger), inject: [PINO] }],
  exports: [LarderLogger],
})
export class LoggingModule {}
