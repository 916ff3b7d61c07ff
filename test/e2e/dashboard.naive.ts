/** docs/metrics.md, word by word, over all rows of a store: what the dashboards are compared with. */

export interface OrderRow {
  id: string;
  status: string;
  payment_method: string;
  total: string;
  placed_at: Date;
}
export interface LineRow {
  order_id: string;
  variant_id: string;
  quantity: number;
  total: string;
  discount: string;
}
export interface PaymentRow {
  order_id: string;
  refunded_amount: string;
}
export interface RefundRow {
  amount: string;
  status: string;
  destination: string;
  reason: string;
  created_at: Date;
}
export interface AssignmentRow {
  id: string;
  order_id: string;
  agent_id: string | null;
  status: string;
  zip: string;
  picked_up_at: Date | null;
  delivered_at: Date | null;
  closed_at: Date | null;
  promised_at: Date;
}
export interface FeeRow {
  assignment_id: string;
  amount: string;
}
export interface Names {
  agents: Map<string, string>;
  /** product_id, sku and name of a variant. */
  variants: Map<string, { productId: string; sku: string; name: string }>;
  cash: Map<string, number>;
}
export interface Books {
  zone: string;
  orders: OrderRow[];
  lines: LineRow[];
  payments: PaymentRow[];
  refunds: RefundRow[];
  assignments: AssignmentRow[];
  fees: FeeRow[];
  names: Names;
}
export interface Days {
  from: string;
  to: string;
}

const SOLD = ['CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED'];
const usd = (amount: number) => ({ amount, currency: 'USD' });
const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
const rateOf = (count: number, of: number) => (of === 0 ? null : Number((count / of).toFixed(4)));
const share = (count: number, of: number) => ({ count, of, rate: rateOf(count, of) });

export function dayOf(at: Date, zone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    at,
  );
}
function daysOf({ from, to }: Days): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
function groups<T>(rows: T[], key: (row: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const row of rows) found.set(key(row), [...(found.get(key(row)) ?? []), row]);
  return [...found];
}

export class Naive {
  private readonly refunded: Map<string, number>;

  constructor(
    private readonly books: Books,
    private readonly days: Days,
  ) {
    this.refunded = new Map(books.payments.map((payment) => [payment.order_id, Number(payment.refunded_amount)]));
  }

  all(): Record<string, object> {
    return {
      'order-trends': this.orderTrends(),
      'sales-by-status': this.salesByStatus(),
      'sales-by-payment-method': this.salesByPaymentMethod(),
      'top-products': this.topProducts(),
      fulfilment: this.fulfilment(),
      'delivery-by-zip': this.deliveryByZip(),
      'agent-leaderboard': this.agentLeaderboard(),
      refunds: this.refunds(),
    };
  }

  private isIn(at: Date | null): boolean {
    if (!at) return false;
    const day = dayOf(at, this.books.zone);
    return day >= this.days.from && day <= this.days.to;
  }

  private get placed(): OrderRow[] {
    return this.books.orders.filter((order) => this.isIn(order.placed_at));
  }

  private get sold(): OrderRow[] {
    return this.placed.filter(({ status }) => SOLD.includes(status));
  }

  private revenue(orders: OrderRow[]): number {
    return sum(
      orders
        .filter(({ status }) => SOLD.includes(status))
        .map((one) => Number(one.total) - (this.refunded.get(one.id) ?? 0)),
    );
  }

  private trend(orders: OrderRow[]) {
    const count = (...statuses: string[]) => orders.filter(({ status }) => statuses.includes(status)).length;
    return {
      placed: orders.length,
      revenue: usd(this.revenue(orders)),
      delivered: count('DELIVERED'),
      cancelled: count('CANCELLED', 'EXPIRED'),
      returned: count('RETURNED'),
    };
  }

  private orderTrends() {
    const on = (day: string) => this.placed.filter((order) => dayOf(order.placed_at, this.books.zone) === day);
    return {
      ...this.days,
      total: this.trend(this.placed),
      days: daysOf(this.days).map((day) => ({ day, ...this.trend(on(day)) })),
    };
  }

  private salesByStatus() {
    const items = groups(this.placed, ({ status }) => status)
      .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
      .map(([status, orders]) => ({
        status,
        orders: share(orders.length, this.placed.length),
        total: usd(sum(orders.map(({ total }) => Number(total)))),
      }));
    return { ...this.days, orders: this.placed.length, total: usd(sum(items.map(({ total }) => total.amount))), items };
  }

  private salesByPaymentMethod() {
    const items = groups(this.sold, (order) => order.payment_method)
      .map(([paymentMethod, orders]) => ({ paymentMethod, orders, revenue: this.revenue(orders) }))
      .sort((a, b) => b.revenue - a.revenue || (a.paymentMethod < b.paymentMethod ? -1 : 1))
      .map(({ paymentMethod, orders, revenue }) => ({
        paymentMethod,
        orders: share(orders.length, this.sold.length),
        revenue: usd(revenue),
        averageOrder: usd(Math.round(revenue / orders.length)),
      }));
    return { ...this.days, orders: this.sold.length, revenue: usd(this.revenue(this.sold)), items };
  }

  private topProducts() {
    const sold = new Set(this.sold.map(({ id }) => id));
    const lines = this.books.lines.filter((line) => sold.has(line.order_id));
    const items = groups(lines, (line) => line.variant_id)
      .map(([variantId, some]) => ({
        variantId,
        ...this.books.names.variants.get(variantId)!,
        units: sum(some.map(({ quantity }) => quantity)),
        revenue: usd(sum(some.map(({ total, discount }) => Number(total) - Number(discount)))),
      }))
      .sort((a, b) => b.revenue.amount - a.revenue.amount || (a.variantId < b.variantId ? -1 : 1));
    return { ...this.days, items: items.slice(0, 10) };
  }

  private get tried(): AssignmentRow[] {
    return this.books.assignments.filter(
      (one) => one.agent_id !== null && ['DELIVERED', 'FAILED'].includes(one.status) && this.isIn(one.closed_at),
    );
  }

  private figures(tried: AssignmentRow[]) {
    const delivered = tried.filter(({ status }) => status === 'DELIVERED');
    const first = tried.filter(
      (one) =>
        one.picked_up_at &&
        !this.books.assignments.some(
          (earlier) =>
            earlier.order_id === one.order_id &&
            earlier.status === 'FAILED' &&
            earlier.picked_up_at !== null &&
            earlier.picked_up_at < one.picked_up_at!,
        ),
    );
    const placedAt = new Map(this.books.orders.map((order) => [order.id, order.placed_at.getTime()]));
    const minutes = (from: (one: AssignmentRow) => number, to: (one: AssignmentRow) => number) => {
      const sorted = delivered.map((one) => Math.floor((to(one) - from(one)) / 60_000)).sort((a, b) => a - b);
      const rank = (percent: number) =>
        sorted.find((_value, index) => (index + 1) * 100 >= percent * sorted.length) ?? null;
      return { p50: rank(50), p95: rank(95) };
    };
    const placed = (one: AssignmentRow) => placedAt.get(one.order_id)!;
    const pickedUp = (one: AssignmentRow) => one.picked_up_at!.getTime();
    const door = (one: AssignmentRow) => one.delivered_at!.getTime();
    return {
      deliveries: delivered.length,
      failures: tried.length - delivered.length,
      onTime: share(delivered.filter((one) => one.delivered_at! <= one.promised_at).length, delivered.length),
      firstAttempt: share(first.filter(({ status }) => status === 'DELIVERED').length, first.length),
      minutes: {
        toPickUp: minutes(placed, pickedUp),
        toDeliver: minutes(pickedUp, door),
        inAll: minutes(placed, door),
      },
    };
  }

  /** From order to door, of all deliveries together. */
  private minutesOf(tried: AssignmentRow[]): number {
    const placedAt = new Map(this.books.orders.map((order) => [order.id, order.placed_at.getTime()]));
    const delivered = tried.filter(({ status }) => status === 'DELIVERED');
    return sum(
      delivered.map((one) => Math.floor((one.delivered_at!.getTime() - placedAt.get(one.order_id)!) / 60_000)),
    );
  }

  private fulfilment() {
    const days = groups(this.tried, (one) => dayOf(one.closed_at!, this.books.zone))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([day, tried]) => ({ day, ...this.figures(tried) }));
    return { ...this.days, total: this.figures(this.tried), days };
  }

  private deliveryByZip() {
    const items = groups(this.tried, ({ zip }) => zip)
      .map(([zip, tried]) => {
        const { deliveries, failures, onTime } = this.figures(tried);
        const all = this.minutesOf(tried);
        const averageMinutes = deliveries === 0 ? null : Number((Math.round((all * 10) / deliveries) / 10).toFixed(1));
        return { zip, deliveries, failures, onTime, averageMinutes };
      })
      .sort((a, b) => b.deliveries - a.deliveries || (a.zip < b.zip ? -1 : 1));
    return { ...this.days, items };
  }

  private agentLeaderboard() {
    const { names, fees } = this.books;
    const paid = new Map(fees.map((fee) => [fee.assignment_id, Number(fee.amount)]));
    const items = groups(this.tried, (one) => one.agent_id!)
      .map(([agentId, tried]) => {
        const { deliveries, failures, onTime } = this.figures(tried);
        const earnings = usd(sum(tried.map(({ id }) => paid.get(id) ?? 0)));
        const cashInHand = usd(names.cash.get(agentId) ?? 0);
        return { agentId, name: names.agents.get(agentId)!, deliveries, failures, onTime, earnings, cashInHand };
      })
      .sort((a, b) => {
        const better =
          (b.onTime.rate === null ? -1 : b.onTime.count / b.onTime.of) -
          (a.onTime.rate === null ? -1 : a.onTime.count / a.onTime.of);
        return b.deliveries - a.deliveries || better || (a.agentId < b.agentId ? -1 : 1);
      });
    return { ...this.days, items };
  }

  private refunds() {
    const asked = this.books.refunds.filter((refund) => this.isIn(refund.created_at));
    const amount = (some: RefundRow[]) => sum(some.map((refund) => Number(refund.amount)));
    const by = (key: 'status' | 'destination' | 'reason') =>
      groups(asked, (refund) => refund[key])
        .map(([name, some]) => ({ name, count: some.length, amount: usd(amount(some)) }))
        .sort((a, b) => b.amount.amount - a.amount.amount || (a.name < b.name ? -1 : 1));
    const givenBack = amount(asked.filter(({ status }) => status === 'SUCCEEDED'));
    const paid = this.placed.map(({ id, status, total }) =>
      [...SOLD, 'RETURNED'].includes(status) ? Number(total) : (this.refunded.get(id) ?? 0),
    );
    return {
      ...this.days,
      count: asked.length,
      amount: usd(amount(asked)),
      givenBack: usd(givenBack),
      rate: rateOf(givenBack, sum(paid)),
      byStatus: by('status'),
      byDestination: by('destination'),
      byReason: by('reason'),
    };
  }
}
