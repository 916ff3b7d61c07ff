import type { FastifyInstance, FastifyRequest } from 'fastify';
import { failure } from '../common/exceptions/failure.js';

const OPERATIONS = /^\/(health\/|metrics$)/;

/** A worker answers probes and scrapes; of the API it knows nothing. */
export function serveOnlyOperations(server: FastifyInstance): void {
  server.addHook('onRequest', (request: FastifyRequest, _reply, done: (error?: Error) => void) => {
    done(OPERATIONS.test(request.routeOptions.url ?? '') ? undefined : failure('ROUTE_NOT_FOUND'));
  });
}
