import { isNativeError } from 'node:util/types';

/** Fastify's errors are no native ones, and those of Node's core belong to another realm where a test runner has its own. */
export function isError(value: unknown): value is Error {
  return isNativeError(value) || value instanceof Error;
}
