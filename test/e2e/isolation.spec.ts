import { newId } from '../../src/common/ids.js';
import { ROLES } from '../../src/common/request-context.js';
import { ACCESS } from '../support/access.js';
import { startApp, type TestApp } from '../support/app.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { validBody } from '../support/hostile-input.js';
import { addressOf, resolve, type Route, routes, type Schema } from '../support/routes.js';
import { idsFor, knownIds, openScene, type Scene, type Stage, stageFor, withoutRivals } from '../support/scene.js';

interface Answer {
  statusCode: number;
  body: string;
  code?: string;
}

/** Tells what is wrong with a wish in its answer, and is not refused. */
const ANSWERS_PROBLEMS = 'POST /api/carts/{id}/quote';

let larder: TestApp;
const ours = new Map<Stage, Scene>();
const theirs = new Map<Stage, Scene>();

beforeAll(async () => {
  larder = await startApp({ LOG_LEVEL: 'warn' });
  for (const stage of ['OFFERED', 'ACCEPTED', 'PICKED_UP', 'DELIVERED'] as const) {
    const name = stage.toLowerCase().replace('_', '-');
    ours.set(stage, await openScene(larder, stage === 'OFFERED' ? 'demo' : `ours-${name}`, stage));
    theirs.set(stage, await openScene(larder, `theirs-${name}`, stage));
  }
});

afterAll(() => larder.close());

const scenesOf = (route: Route) => ({ our: ours.get(stageFor(route))!, their: theirs.get(stageFor(route))! });

async function send(route: Route, url: string, bearer?: string, body?: unknown): Promise<Answer> {
  const response = await larder.app.inject({
    method: route.method,
    url,
    headers: { ...(bearer ? { authorization: bearer } : {}), 'idempotency-key': freshKey() },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const json = response.headers['content-type']?.includes('json') && response.body ? response.json<object>() : {};
  return { ...response, statusCode: response.statusCode, body: response.body, code: (json as { code?: string }).code };
}

function senders(route: Route, scene: Scene): TestUser[] {
  const access = ACCESS[route.name];
  const people = [scene.customer, scene.agent, scene.manager, scene.everyone];
  if (access === 'anybody' || access === 'somebody') return people;
  const byRole = {
    CUSTOMER: scene.customer,
    AGENT: scene.agent,
    SUPPORT: scene.support,
    MANAGER: scene.manager,
    ADMIN: scene.admin,
  };
  const roles = (access ?? []).filter((role) => role !== 'STRANGER');
  return [...roles.map((role) => byRole[role]), scene.everyone];
}

it('knows who may call each route (test/support/access.ts)', () => {
  expect(Object.keys(ACCESS).sort()).toEqual(routes.map(({ name }) => name).sort());
});

describe.each(routes)('$name', (route) => {
  const access = ACCESS[route.name] ?? [];
  const nowhere = () => addressOf(route, Object.fromEntries(route.pathParameters.map((name) => [name, newId()])));

  it('is for those alone whom it is for', async () => {
    const { our } = scenesOf(route);
    const nobody = await send(route, nowhere());
    if (access === 'anybody' || access.includes('STRANGER')) expect(nobody.code).not.toBe('UNAUTHENTICATED');
    else expect([nobody.statusCode, nobody.code]).toEqual([401, 'UNAUTHENTICATED']);
    const people = [our.customer, our.agent, our.support, our.manager, our.admin];
    for (const [i, role] of ROLES.entries()) {
      const { statusCode, code } = await send(route, nowhere(), people[i]?.bearer);
      const allowed = typeof access === 'string' || access.includes(role);
      if (allowed) expect([role, code]).not.toEqual([role, expect.stringMatching(/^(FORBIDDEN|UNAUTHENTICATED)$/)]);
      else expect([role, statusCode, code]).toEqual([role, 403, 'FORBIDDEN']);
    }
  });

  const places = [
    ...route.pathParameters.map((name) => ({ place: 'path', name })),
    ...idFields(route.body).map((name) => ({ place: 'body', name })),
  ];
  if (places.length === 0) return;

  it.each(places)(
    "answers another store's id in its $place ($name) as one that does not exist",
    async ({ place, name }) => {
      const { our, their } = scenesOf(route);
      const before = await contentOf(their.store.id);
      const foreign = place === 'path' ? idsFor(route, their)[name]! : knownIds(their).byField[name]!;
      for (const sender of senders(route, our)) {
        const told: string[] = [];
        for (const id of [foreign, newId()]) {
          const path = addressOf(route, { ...idsFor(route, our), ...(place === 'path' ? { [name]: id } : {}) });
          const fields = { ...knownIds(our).byField, ...(place === 'body' ? { [name]: id } : {}) };
          const body = route.body && withoutRivals(validBody(route.body, fields), name);
          const answer = await send(route, path, sender.bearer, body);
          if (place === 'body') expect(JSON.stringify(body)).toContain(id);
          expect(answer.code).not.toBe('VALIDATION_FAILED');
          if (place === 'path') expect([answer.statusCode, answer.code]).toEqual([404, 'NOT_FOUND']);
          if (route.name !== ANSWERS_PROBLEMS) expect(answer.statusCode).toBeGreaterThanOrEqual(400);
          expect(answer.statusCode).toBeLessThan(500);
          told.push(`${answer.statusCode} ${neutral(answer.body, id)}`);
        }
        expect(told[0]).toBe(told[1]);
      }
      expect(await contentOf(their.store.id)).toEqual(before);
    },
  );
});

describe.each(routes.filter(({ method, path }) => method === 'GET' && path.startsWith('/api')))('$name', (route) => {
  it("shows nothing of another store's", async () => {
    const { our, their } = scenesOf(route);
    const foreign = await idsOfStore(their.store.id);
    for (const sender of senders(route, our)) {
      const answer = await send(route, addressOf(route, idsFor(route, our)), sender.bearer);
      const shown = answer.body.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
      expect(shown.filter((id) => foreign.has(id))).toEqual([]);
    }
  });
});

it("finds no other store's products, stock or categories by their names", async () => {
  const { our, their } = scenesOf(routes.find(({ name }) => name === 'GET /api/products')!);
  const { rows } = await larder.sql.query<{ sku: string }>('SELECT sku FROM variants WHERE id = $1', [
    their.ids.variant,
  ]);
  const get = (path: string) => larder.http.get(path).set('authorization', our.everyone.bearer).expect(200);
  for (const path of [
    `/api/products?search=${rows[0]!.sku}`,
    `/api/products?category=category-${their.ids.category}`,
    `/api/products?category=${their.ids.category}`,
    `/api/inventory?sku=${rows[0]!.sku}`,
  ]) {
    expect((await get(path)).body).toEqual({ items: [], nextCursor: null });
  }
});

/** Names of the fields of a body that hold an id, at any depth. */
function idFields(schema: Schema | undefined): string[] {
  if (!schema) return [];
  const { properties = {}, items } = resolve(schema);
  const own = Object.entries(properties).flatMap(([name, field]) =>
    field.format === 'uuid' ? [name] : idFields(resolve(field)),
  );
  return [...own, ...idFields(items)];
}

/** What is left of an answer when the id that was asked for and the moment are taken out. */
function neutral(body: string, id: string): string {
  return body
    .replaceAll(id, '<id>')
    .replace(/"timestamp":"[^"]+"/, '')
    .replace(/"requestId":"[^"]+"/, '');
}

/** Every row of a store, as one hash for each table. */
async function contentOf(storeId: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const table of await tablesOfStores()) {
    const { rows } = await larder.sql.query<{ hash: string }>(
      `SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) AS hash FROM ${table} t WHERE store_id = $1`,
      [storeId],
    );
    content[table] = rows[0]!.hash;
  }
  return content;
}

async function idsOfStore(storeId: string): Promise<Set<string>> {
  const ids = new Set<string>([storeId]);
  for (const table of await tablesOfStores()) {
    const { rows } = await larder.sql.query<{ row: string }>(
      `SELECT t::text AS row FROM ${table} t WHERE store_id = $1`,
      [storeId],
    );
    for (const { row } of rows)
      for (const id of row.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? []) ids.add(id);
  }
  return ids;
}

async function tablesOfStores(): Promise<string[]> {
  const { rows } = await larder.sql.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'store_id' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
