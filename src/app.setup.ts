import type { DynamicModule } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Logger } from 'nestjs-pino';
import type { IncomingMessage } from 'node:http';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import { newId } from './common/ids.js';
import { LarderConfig } from './config/config.js';
import { answerBadAddress, answerUnreadable } from './http/malformed-request.js';
import { serveOnlyOperations } from './http/operations-only.js';
import { parseJsonUnlessRaw } from './http/raw-body.js';
import { addRequestHooks } from './http/request-hooks.js';
import { createValidationPipe } from './http/validation.pipe.js';
import { FrameworkLogger } from './platform/logging/framework-logger.js';
import { LarderLogger } from './platform/logging/larder-logger.js';
import { createPino } from './platform/logging/pino.js';

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** The whole application, as main starts it; not listening yet. */
export async function createApp(config: LarderConfig, log?: DestinationStream): Promise<NestFastifyApplication> {
  return createServer(AppModule.of(config, createPino(config, log)), config);
}

/** Puts a module behind what every request passes: AppModule, or one around it as the tests have. */
export async function createServer(root: DynamicModule, config: LarderConfig): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.BODY_LIMIT_BYTES,
    trustProxy: config.TRUSTED_PROXIES ?? false,
    handlerTimeout: config.REQUEST_DEADLINE_MS,
    // A client has this long for headers and body; slow ones must not hold sockets for ever.
    requestTimeout: config.REQUEST_DEADLINE_MS * 2,
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: answerBadAddress,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
    },
  });
  // Nest's own body parser would take forms too; bodies are JSON, everything else is a 415.
  const options = { bufferLogs: true, abortOnError: false, bodyParser: false };
  adapter.getInstance().removeContentTypeParser('text/plain');
  parseJsonUnlessRaw(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, options);
  app.useLogger(new FrameworkLogger(app.get(Logger)));
  addRequestHooks(adapter.getInstance(), app.get(LarderLogger));
  if (config.LARDER_ROLE === 'worker') serveOnlyOperations(adapter.getInstance());
  app.useGlobalPipes(createValidationPipe());
  SwaggerModule.setup('docs', app, () => createOpenApi(app), { jsonDocumentUrl: 'docs-json' });
  return app;
}

export function createOpenApi(app: NestFastifyApplication): OpenAPIObject {
  const document = new DocumentBuilder()
    .setTitle('Larder')
    .setDescription('Orders, payments, delivery and wallets of a shop that delivers. Errors: docs/errors.md.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, document);
}
