/** Larder's hot statements, taken from the build, so that the bare server executes the very same text. */
export interface PlacedLine {
  variantId: string;
  quantity: number;
}

export interface Statement {
  text: string;
  values: readonly unknown[];
}

export interface LarderStatements {
  placeOrderText: string;
  products: Statement;
  order(orderId: string, customerId: string): Statement;
}

interface Built {
  runInContext<T>(context: object, run: () => T): T;
  placeOrder(placement: object): Statement;
  orderDocument(orderId: string, viewerId: string, ownerId: string): Statement;
  productsPage(wanted: object): Statement;
}

export async function larderStatements(storeId: string): Promise<LarderStatements> {
  const modules = ['common/request-context', 'modules/orders/orders.queries', 'modules/catalog/products.queries'];
  const loaded = await Promise.all(
    modules.map((name) => import(new URL(`../dist/${name}.js`, import.meta.url).href) as Promise<Partial<Built>>),
  );
  const built = Object.assign({}, ...loaded) as Built;
  const inStore = <T>(build: () => T): T => built.runInContext({ requestId: 'bench', storeId }, build);
  return {
    placeOrderText: inStore(() => built.placeOrder({}).text),
    products: inStore(() => built.productsPage({ limit: 20, after: null, withUnpublished: false })),
    order: (orderId, customerId) => inStore(() => built.orderDocument(orderId, customerId, customerId)),
  };
}
