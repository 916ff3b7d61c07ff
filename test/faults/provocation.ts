import { Controller, Get, Injectable, Param } from '@nestjs/common';
import type { Response } from 'supertest';
import { Public } from '../../src/http/access.js';
import { Database } from '../../src/platform/prisma/database.js';
import type { TestApp } from '../support/app.js';

/** Something that a request does and that goes wrong. */
export type Provocation = (database: Database) => unknown;

const provocations: Provocation[] = [];

/** A route that does what the test says: every fault takes the way of a real request, to the filter and the log. */
@Injectable()
@Controller('api/provocations')
export class ProvocationsController {
  constructor(private readonly database: Database) {}

  @Public()
  @Get(':number')
  provoke(@Param('number') number: string): unknown {
    return provocations[Number(number)]?.(this.database);
  }
}

/** A request to the store `demo` that does this. */
export async function provoke(larder: TestApp, provocation: Provocation): Promise<Response> {
  const number = provocations.push(provocation) - 1;
  return larder.http.get(`/api/provocations/${number}`);
}

/** The same without a socket, for thousands of them. */
export async function inject(larder: TestApp, provocation: Provocation) {
  const number = provocations.push(provocation) - 1;
  return larder.app.inject(`/api/provocations/${number}`);
}

export interface Expected {
  status: number;
  code: string;
  retryAfter?: number;
}

/** What no client may read. */
const INTERNAL =
  /select |insert |update "|prisma|postgres|sqlstate|constraint|violates|_key|_fkey|_check|duplicate|relation|categories|node_modules|\.ts:|\.js:|\bat async\b|\/work\/|127\.0\.0\.1|ECONN|P[12]0\d\d|\b(?:2[23]|40|42|53|55|57)[0-9P]\d\d\b/i;

/** The one body of an error, its headers and its line in the log. */
export function expectFault(larder: TestApp, response: Response, { status, code, retryAfter }: Expected): void {
  expect({ status: response.status, body: response.body as unknown }).toEqual({
    status,
    body: {
      statusCode: status,
      message: expect.stringMatching(/^\P{Cc}{10,200}$/u) as string,
      error: expect.stringMatching(/^[A-Z][A-Za-z ]+$/) as string,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      path: expect.stringMatching(/^\/api\/provocations\/\d+$/) as string,
      code,
      requestId: response.headers['x-request-id'],
    },
  });
  const { message, error } = response.body as { message: string; error: string };
  expect(`${message} ${error}`).not.toMatch(INTERNAL);
  expect(Number(response.headers['retry-after'] ?? 0)).toBe(retryAfter ?? 0);
  expectLogged(larder, response, { status, code, message });
}

function expectLogged(
  larder: TestApp,
  response: Response,
  { status, code, message }: { status: number; code: string; message: string },
): void {
  const lines = larder.logLines().filter((line) => line.requestId === response.headers['x-request-id']);
  const [line, ...others] = lines.filter(({ event }) => /^(http|unhandled)_exception$/.test(String(event)));
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    event: status === 500 ? 'unhandled_exception' : 'http_exception',
    level: status === 500 ? 'error' : status > 500 ? 'warn' : 'info',
    statusCode: status,
    message,
    code,
    path: '/api/provocations/:number',
    method: 'GET',
  });
  expect('stack' in line!).toBe(status === 500);
}
