import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createOpenApi } from '../../src/app.setup.js';

/** What is used of a schema of the OpenAPI document. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  format?: string;
  pattern?: string;
  enum?: string[];
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  items?: Schema;
  required?: string[];
  default?: unknown;
  properties?: Record<string, Schema>;
}

interface Operation {
  parameters?: { in: 'path' | 'query' | 'header'; name: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route {
  /** 'POST /api/orders/{id}' */
  name: string;
  method: Method;
  path: string;
  pathParameters: string[];
  query: Record<string, Schema>;
  body?: Schema;
  takesIdempotencyKey: boolean;
}

/** The committed document, so that whoever adds a route adds it to every test that walks over all of them. */
const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as Document;

export const { schemas } = document.components;

export const routes: Route[] = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([verb, operation]) => routeOf(verb.toUpperCase() as Method, path, operation)),
);

function routeOf(method: Method, path: string, { parameters = [], requestBody }: Operation): Route {
  const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
  return {
    name: `${method} ${path}`,
    method,
    path,
    pathParameters: of('path').map(({ name }) => name),
    query: Object.fromEntries(of('query').map(({ name, schema }) => [name, schema])),
    body: requestBody?.content['application/json']?.schema,
    takesIdempotencyKey: of('header').some(({ name }) => name === 'Idempotency-Key'),
  };
}

/** The schema itself, in place of a reference to it. */
export function resolve(schema: Schema): Schema {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (!reference) return schema;
  const name = reference.split('/').at(-1) ?? '';
  const found = schemas[name];
  if (!found) throw new Error(`docs/openapi.json has no schema ${name}`);
  return found;
}

/** Names of the routes that the application really serves. */
export function servedRoutes(app: NestFastifyApplication): string[] {
  return Object.entries(createOpenApi(app).paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((verb) => `${verb.toUpperCase()} ${path}`),
  );
}

/** The address of a route with these ids in the order of its parameters. */
export function addressOf(route: Route, ids: Record<string, string>): string {
  return route.path.replace(/\{(\w+)\}/g, (_whole, name: string) => ids[name] ?? `no-id-for-${name}`);
}
