import { STATUS_CODES } from 'node:http';
import { catalogue, type ErrorCode } from '../common/exceptions/catalogue.js';

/** The one shape of an error. */
export interface ErrorBody {
  statusCode: number;
  message: string;
  error: string;
  timestamp: string;
  path: string;
  code: string;
  requestId: string;
  details?: readonly object[];
}

/** What an error tells of itself; the rest of the body is about the request. */
export type Told = Pick<ErrorBody, 'statusCode' | 'message' | 'error' | 'code' | 'details'>;

export function fromCatalogue(code: ErrorCode): Told {
  const { status, message } = catalogue[code];
  return { statusCode: status, message, error: STATUS_CODES[status] ?? 'Error', code };
}

export function errorBody(told: Told, request: { url: string; id: string }): ErrorBody {
  return {
    ...told,
    timestamp: new Date().toISOString(),
    path: request.url.split('?', 1)[0] ?? request.url,
    requestId: request.id,
  };
}
