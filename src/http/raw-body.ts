import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    rawBody?: boolean;
  }
}

type Parser = (request: FastifyRequest, body: string, done: (error: Error | null, body?: unknown) => void) => void;

/** The handler gets the JSON body as the text that came: a signature is of its bytes, not of what it means. */
export const RawBody = (): MethodDecorator => RouteConfig({ rawBody: true });

/** JSON as Fastify parses it by itself, but for the routes that want the text. */
export function parseJsonUnlessRaw(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error') as Parser;
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (request.routeOptions.config.rawBody) done(null, body);
    else parse(request, body, done);
  });
}
