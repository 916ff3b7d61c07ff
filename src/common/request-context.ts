import { AsyncLocalStorage } from 'node:async_hooks';

export type Role = 'CUSTOMER' | 'AGENT' | 'SUPPORT' | 'MANAGER' | 'ADMIN';
export const ROLES: readonly Role[] = ['CUSTOMER', 'AGENT', 'SUPPORT', 'MANAGER', 'ADMIN'];
export const STAFF: readonly Role[] = ['SUPPORT', 'MANAGER', 'ADMIN'];

/** Who asks, for which store. Filled by the guard; read by whatever must not cross stores. */
export interface RequestContext {
  requestId: string;
  /** Where the request came from, as far as it can be told from others: see countedAddress(). */
  clientAddress?: string;
  storeId?: string;
  userId?: string;
  roles?: readonly Role[];
}

const storage = new AsyncLocalStorage<RequestContext>();

export function runInContext<T>(context: RequestContext, run: () => T): T {
  return storage.run(context, run);
}

export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/**
 * The store that every statement is bound to.
 * @throws Error outside of a request or job that has one: a mistake of ours, answered 500.
 */
export function currentStore(): string {
  const storeId = storage.getStore()?.storeId;
  if (!storeId) throw new Error('No store in context: a statement would cross stores');
  return storeId;
}
