import { getMetadataStorage } from 'class-validator';
import fc from 'fast-check';
import { isErrorCode } from '../../src/common/exceptions/catalogue.js';
import { startApp, type TestApp } from '../support/app.js';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.js';
import { type HostileRequest, hostileRequests } from '../support/hostile-input.js';
import { type Route, routes, schemas, servedRoutes } from '../support/routes.js';
import { verify } from '../support/verify.js';
import { idsFor, knownIds, openScene, stageFor } from '../support/scene.js';

const CASES = 1000;
/** These may change by a refusal: a stored refusal, a family of tokens that ends, a guess at a coupon. */
const MAY_CHANGE = ['idempotency_keys', 'refresh_tokens', 'coupon_failures'];

describe('every route, whatever it is sent', () => {
  let database: TestDatabase;
  let larder: TestApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    // Tens of thousands of commits: none of them has to survive the server.
    await withClient(database.url, (client) =>
      client.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET synchronous_commit = off`),
    );
    larder = await startApp({ LOG_LEVEL: 'warn', POOL_ACQUIRE_TIMEOUT_MS: '5000', DATABASE_URL: database.url });
    await countChanges();
    // The store of requests whose sender is not looked at.
    await openScene(larder, 'demo');
  });

  afterAll(async () => {
    await larder.close();
    await database.drop();
  });

  /**
   * Each row that is written, anywhere, leaves one here; what is rolled back leaves none. A counted try of a code is none; a place
   * that was taken and given back adds up to none.
   */
  async function countChanges(): Promise<void> {
    await larder.sql.query(`
      CREATE TABLE changes (id bigserial PRIMARY KEY, relation text, places int);
      CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'proof_attempts' = to_jsonb(OLD) - 'proof_attempts'
          AND to_jsonb(NEW) ->> 'proof_attempts' <> to_jsonb(OLD) ->> 'proof_attempts' THEN
          RETURN NULL;
        END IF;
        IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'delivery_slots'
          AND to_jsonb(NEW) - 'booked' = to_jsonb(OLD) - 'booked' THEN
          INSERT INTO changes (relation, places)
          VALUES (TG_TABLE_NAME, (to_jsonb(NEW) ->> 'booked')::int - (to_jsonb(OLD) ->> 'booked')::int);
          RETURN NULL;
        END IF;
        INSERT INTO changes (relation) VALUES (TG_TABLE_NAME);
        RETURN NULL;
      END $$;
      DO $$
      DECLARE
        name text;
      BEGIN
        FOR name IN
          SELECT tablename FROM pg_tables
           WHERE schemaname = 'public' AND tablename <> ALL ('{changes,_prisma_migrations,${MAY_CHANGE.join(',')}}')
        LOOP
          EXECUTE format(
            'CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION note_change()', name);
        END LOOP;
      END $$`);
  }

  /** What was noted after this one: the last of them, and whether anything is other than it was. */
  async function changesSince(last: string): Promise<{ last: string; changed: boolean }> {
    const { rows } = await larder.sql.query<{ last: string; changed: boolean }>({
      name: 'changes-since',
      text: `SELECT coalesce(max(id), $1)::text AS last,
                    count(*) FILTER (WHERE places IS NULL) > 0 OR coalesce(sum(places), 0) <> 0 AS changed
               FROM changes
              WHERE id > $1::bigint`,
      values: [last],
    });
    return rows[0]!;
  }

  function send(route: Route, bearer: string, { path, body, idempotencyKey }: HostileRequest) {
    return larder.app.inject({
      method: route.method,
      url: path,
      headers: {
        authorization: bearer,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
  }

  it('is in docs/openapi.json (npm run openapi)', () => {
    expect(routes.map(({ name }) => name).sort()).toEqual(servedRoutes(larder.app).sort());
  });

  it('is told to the document with every field that it validates', () => {
    const validated = validatedFields().flatMap(({ target, field }) =>
      target.name in schemas ? [`${target.name}.${field}`] : [],
    );
    const told = Object.entries(schemas).flatMap(([name, { properties = {} }]) =>
      Object.keys(properties).map((field) => `${name}.${field}`),
    );
    expect(validated.length).toBeGreaterThan(50);
    expect(validated.filter((field) => !told.includes(field))).toEqual([]);
  });

  it('is not told to need a field that has a value without being sent', () => {
    const defaults = Object.entries(schemas).flatMap(([name, { properties = {}, required = [] }]) =>
      Object.entries(properties)
        .filter(([, property]) => property.default !== undefined)
        .map(([field]) => ({ field: `${name}.${field}`, needed: required.includes(field) })),
    );
    expect(defaults.length).toBeGreaterThan(0);
    expect(defaults.filter(({ needed }) => needed)).toEqual([]);
  });

  // class-validator drops all of the parent's rules of a field that the child has a rule for.
  it('has no DTO that weakens what it extends', () => {
    const fields = validatedFields();
    const weaker = fields.flatMap(({ target, field, rules }) =>
      fields
        .filter((parent) => parent.field === field && target.prototype instanceof parent.target)
        .filter((parent) => !parent.rules.every((rule) => rules.includes(rule)))
        .map((parent) => `${target.name}.${field} drops a rule of ${parent.target.name}`),
    );
    expect(weaker).toEqual([]);
  });

  const withInput = routes.filter(
    ({ body, query, pathParameters }) => body || pathParameters.length > 0 || Object.keys(query).length > 0,
  );

  it.each(withInput)(
    'answers $name with 2xx or 4xx',
    async (route) => {
      const scene = await openScene(larder, `store-${withInput.indexOf(route)}`, stageFor(route));
      const ids = knownIds(scene);
      const senders = fc.oneof(
        { weight: 6, arbitrary: fc.constant(scene.everyone) },
        { weight: 1, arbitrary: fc.constantFrom(scene.customer, scene.agent, scene.manager) },
      );
      const reads = route.method === 'GET';
      let { last } = await changesSince('0');
      await fc.assert(
        fc.asyncProperty(hostileRequests(route, idsFor(route, scene), ids), senders, async (request, { bearer }) => {
          const { statusCode: status, body } = await send(route, bearer, request);
          expectRefusalOrSuccess(status, body);
          if (reads) return;
          const since = await changesSince(last);
          if (status >= 400 && since.changed) throw new Error(`${status} ${body}, and yet something was written`);
          last = since.last;
        }),
        { numRuns: CASES, endOnFailure: true },
      );
    },
    300_000,
  );

  it('leaves the books in order', async () => {
    await verify(larder.sql);
  });
});

interface ValidatedField {
  target: new () => object;
  field: string;
  rules: string[];
}

function validatedFields(): ValidatedField[] {
  const { validationMetadatas } = getMetadataStorage() as unknown as {
    validationMetadatas: Map<ValidatedField['target'], { propertyName: string; name?: string }[]>;
  };
  return [...validationMetadatas].flatMap(([target, all]) =>
    [...new Set(all.map(({ propertyName }) => propertyName))].map((field) => ({
      target,
      field,
      rules: all.flatMap(({ propertyName, name }) => (propertyName === field && name ? [name] : [])),
    })),
  );
}

function expectRefusalOrSuccess(status: number, text: string): void {
  if (status >= 200 && status < 300) return;
  if (status < 400 || status >= 500) throw new Error(`${status} ${text}`);
  const body = JSON.parse(text) as { statusCode: number; code: string; message: string };
  if (body.statusCode !== status || !isErrorCode(body.code) || !body.message) throw new Error(`${status} ${text}`);
}
