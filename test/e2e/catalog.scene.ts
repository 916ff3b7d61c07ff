import { expect } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { Factory, type TestStore, type TestUser } from '../support/factories.js';

export type Method = 'get' | 'post' | 'patch' | 'delete';

const ROLES = ['CUSTOMER', 'AGENT', 'SUPPORT', 'MANAGER', 'ADMIN'] as const;

export const USD = (amount: unknown) => ({ amount, currency: 'USD' });

/** Two stores with people of every role, and what a test of the catalog does over and over. */
export class CatalogScene {
  private serial = 0;

  private constructor(
    readonly larder: TestApp,
    readonly factory: Factory,
    readonly store: TestStore,
    readonly users: Record<(typeof ROLES)[number] | 'foreignManager', TestUser>,
  ) {}

  static async open(): Promise<CatalogScene> {
    const larder = await startApp();
    const factory = new Factory(larder.sql);
    const store = await factory.store('demo');
    const other = await factory.store('other');
    const users = {} as CatalogScene['users'];
    for (const role of ROLES) users[role] = await factory.user(store, role);
    users.foreignManager = await factory.user(other, 'MANAGER');
    return new CatalogScene(larder, factory, store, users);
  }

  as(user: TestUser | undefined, method: Method, path: string) {
    const request = this.larder.http[method](path);
    return user ? request.set('authorization', user.bearer) : request;
  }

  /** A body that is valid but for the changes. */
  newProduct(changes: object = {}): Record<string, unknown> {
    this.serial += 1;
    return {
      name: `Product ${this.serial}`,
      slug: `product-${this.serial}`,
      published: true,
      variants: [{ sku: `SKU-${this.serial}`, name: 'small', price: USD(1299) }],
      ...changes,
    };
  }

  async create(changes: object = {}, user = this.users.MANAGER) {
    const response = await this.as(user, 'post', '/api/products').send(this.newProduct(changes));
    expect(response.body).toMatchObject({ id: expect.any(String) });
    expect(response.status).toBe(201);
    return response.body;
  }

  async createCategory(slug: string, user = this.users.MANAGER) {
    const response = await this.as(user, 'post', '/api/categories').send({ slug, name: `The ${slug}` });
    expect(response.status).toBe(201);
    return response.body;
  }

  async namesIn(path: string, user?: TestUser): Promise<string[]> {
    const response = await this.as(user, 'get', path);
    expect(response.status).toBe(200);
    return response.body.items.map((item: { name: string }) => item.name);
  }

  /** Every id of a list, page by page. The path ends in ? or &. */
  async walk(path: string, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const response = await this.as(undefined, 'get', `${path}limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`);
      expect(response.status).toBe(200);
      expect(response.body.items.length).toBeLessThanOrEqual(limit);
      ids.push(...response.body.items.map((item: { id: string }) => item.id));
      cursor = response.body.nextCursor;
    } while (cursor);
    return ids;
  }

  close(): Promise<void> {
    return this.larder.close();
  }
}
