import type { TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';

let shop: Shop;
let admin: TestUser;

beforeAll(async () => {
  shop = await Shop.open();
  admin = await shop.make.user(shop.store, 'ADMIN');
});
afterAll(() => shop.close());

const PASSWORD = 'correct horse battery';
const grace = (changes: object = {}) => ({
  email: 'grace@larder.test',
  password: PASSWORD,
  name: 'Grace',
  roles: ['MANAGER'],
  ...changes,
});
const create = (body: object, user = admin) => shop.ask('post', '/api/users', user, { body });

it('an admin gives the shop a second manager, who logs in and decides', async () => {
  const { body } = await create(grace({ email: ' Grace@Larder.test' })).expect(201);
  expect(body).toEqual({ id: expect.any(String), email: 'grace@larder.test', name: 'Grace', roles: ['MANAGER'] });
  const login = { email: 'grace@larder.test', password: PASSWORD };
  const session = await shop.larder.http.post('/api/auth/login').send(login).expect(200);
  const bearer = `Bearer ${session.body.accessToken}`;
  await shop.ask('get', '/api/approvals', { ...admin, bearer }).expect(200);
  await create(grace()).expect(409, /"code":"EMAIL_TAKEN"/);
});

it('nobody else does, and nobody is made anything but staff', async () => {
  for (const role of ['MANAGER', 'SUPPORT', 'CUSTOMER', 'AGENT'] as const) {
    await create(grace({ email: 'mallory@larder.test' }), await shop.make.user(shop.store, role)).expect(403);
  }
  for (const roles of [[], ['CUSTOMER'], ['AGENT'], ['MANAGER', 'KING'], 'ADMIN', undefined]) {
    await create(grace({ email: 'mallory@larder.test', roles })).expect(400, /"code":"VALIDATION_FAILED"/);
  }
  const { n } = await shop.row(`SELECT count(*)::int AS n FROM users WHERE email = 'mallory@larder.test'`);
  expect(n).toBe(0);
});
