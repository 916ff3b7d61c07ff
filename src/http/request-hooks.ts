import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { runInContext, type RequestContext } from '../common/request-context.js';
import { requireAcceptable } from './acceptable-input.js';
import { countedAddress } from './client-address.js';
import { LarderLogger } from '../platform/logging/larder-logger.js';
import { httpMetrics } from '../platform/metrics/http.metrics.js';

const QUIET_ROUTES = /^\/(health|metrics)/;

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
}

/** What every request passes through first and last: its context, its id, one log line, its metrics. */
export function addRequestHooks(server: FastifyInstance, logger: LarderLogger): void {
  server.decorateRequest('context', null as unknown as RequestContext);
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    request.context = { requestId: request.id, clientAddress: countedAddress(request.ip) };
    void reply.header('x-request-id', request.id);
    httpMetrics.active.inc();
    runInContext(request.context, done);
  });
  // Parsing a body leaves the async context of onRequest: enter it again for what follows.
  server.addHook('preValidation', (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    requireAcceptable(request.query);
    requireAcceptable(request.body);
    runInContext(request.context, done);
  });
  server.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const route = request.routeOptions.url ?? 'unknown';
    const duration = reply.elapsedTime;
    httpMetrics.active.dec();
    httpMetrics.duration.observe({ method: request.method, route, status: reply.statusCode }, duration / 1000);
    if (!QUIET_ROUTES.test(route)) {
      const { requestId, userId } = request.context;
      logger.info({
        event: 'http_request_completed',
        requestId,
        userId,
        method: request.method,
        route,
        statusCode: reply.statusCode,
        duration: Math.round(duration * 100) / 100,
      });
    }
    done();
  });
}
