import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../common/exceptions/catalogue.js';
import { newId } from '../common/ids.js';
import { errorBody, fromCatalogue } from './error-body.js';

const BY_CODE: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_INCOMPLETE',
  FST_ERR_MAX_PARAM_LENGTH: 'ADDRESS_TOO_LONG',
};

interface CodedError extends Error {
  code?: string;
}

/** What Node can't read as HTTP never becomes a request; its connection gets the body of every error all the same. */
export function answerUnreadable(error: CodedError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const told = toldOf(error);
  const body = JSON.stringify(errorBody(told, { url: 'unknown', id: newId() }));
  const head = [
    `HTTP/1.1 ${told.statusCode} ${told.error}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** An address that the router can't decode reaches neither hooks nor the filter. */
export function answerBadAddress(error: CodedError, request: FastifyRequest, reply: FastifyReply): void {
  const body = errorBody(toldOf(error), request);
  void reply.status(body.statusCode).header('x-request-id', request.id).send(body);
}

function toldOf({ code = '' }: CodedError) {
  return fromCatalogue(BY_CODE[code] ?? 'MALFORMED_REQUEST');
}
