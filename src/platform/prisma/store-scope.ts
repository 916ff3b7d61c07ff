import { PrismaClient } from '../../generated/prisma/client.js';
import { currentStore } from '../../common/request-context.js';

const WITHOUT_STORE = new Set(['Store']);
const WRITES_NEW_ROWS = new Set(['create', 'createMany', 'createManyAndReturn']);

interface ScopedArgs {
  where?: object;
  data?: { storeId?: string } | { storeId?: string }[];
  /** Of an upsert. */
  create?: { storeId?: string };
}

/**
 * The one place where model queries are bound to a store: whatever the caller asks, only rows of the request's store are
 * seen or changed, and a row for another store is refused. Hand-written SQL says the same with currentStore().
 */
export function scopeToStore(client: PrismaClient) {
  return client.$extends({
    name: 'store-scope',
    query: {
      $allModels: {
        $allOperations({ model, operation, args, query }) {
          if (WITHOUT_STORE.has(model)) return query(args);
          const storeId = currentStore();
          const scoped = { ...args } as ScopedArgs;
          const isNew = WRITES_NEW_ROWS.has(operation);
          for (const row of [(isNew ? scoped.data : scoped.create) ?? []].flat()) {
            if (row.storeId !== storeId) throw new Error(`A new ${model} names another store than the request's`);
          }
          if (!isNew) scoped.where = { ...scoped.where, storeId };
          return query(scoped);
        },
      },
    },
  });
}
