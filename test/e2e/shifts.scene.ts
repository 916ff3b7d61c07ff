import type { AgentCashResponse, ShiftResponse } from '../../src/modules/shipping/dto/cash.dto.js';
import { freshKey, type TestUser } from '../support/factories.js';
import { Shop } from '../support/shop.js';

export const USD = (amount: number) => ({ amount, currency: 'USD' });
export const PRICE = 1000;

/** A store, and what is asked of an agent's cash again and again. */
export class Cash {
  /** Whose cash it is; a new one for each test. */
  agent!: TestUser;

  private constructor(
    readonly shop: Shop,
    readonly tea: string,
    readonly customer: TestUser,
    /** Decides on what the manager has counted. */
    readonly other: TestUser,
  ) {}

  static async open(): Promise<Cash> {
    const shop = await Shop.open();
    const tea = await shop.make.variant(shop.store, { price: PRICE, onHand: 100_000 });
    return new Cash(shop, tea, await shop.make.user(shop.store), await shop.make.user(shop.store, 'ADMIN'));
  }

  /** Sends the others home, so that nobody else is asked. */
  async begin(): Promise<void> {
    await this.shop.larder.sql.query(`UPDATE delivery_agents SET status = 'OFFLINE'`);
    this.agent = await this.shop.make.agent(this.shop.store);
  }

  path(rest: string, agent = this.agent): string {
    return `/api/shipping/agents/${agent.id}/${rest}`;
  }

  order() {
    return this.shop.placed(this.customer, [{ variantId: this.tea, quantity: 1 }]);
  }

  /** A delivery, with so much taken at the door. */
  async collect(amount = PRICE): Promise<void> {
    const order = await this.order();
    const { path } = await this.shop.carried(this.agent, order.id);
    const shortReason = amount < PRICE ? 'No more' : undefined;
    const body = { proof: { code: order.deliveryCode }, cashCollected: USD(amount), shortReason };
    await this.shop.ask('post', `${path}/deliver`, this.agent, { body }).expect(200);
  }

  remit(amount: number) {
    const body = { amount: USD(amount) };
    return this.shop.ask('post', this.path('remittances'), this.shop.manager, { body, key: freshKey() });
  }

  count(amount: number, key = freshKey(), user = this.shop.manager) {
    return this.shop.ask('post', this.path('shifts/close'), user, { body: { counted: USD(amount) }, key });
  }

  async counted(amount: number): Promise<ShiftResponse> {
    return (await this.count(amount).expect(200)).body as ShiftResponse;
  }

  decide(shift: ShiftResponse, decision: 'approve' | 'reject', user = this.other) {
    return this.shop.ask('post', `/api/approvals/${shift.variance!.approvalId}/${decision}`, user, { body: {} });
  }

  async shifts(): Promise<ShiftResponse[]> {
    const { body } = await this.shop.ask('get', this.path('shifts'), this.agent).expect(200);
    return (body as { items: ShiftResponse[] }).items;
  }

  async report(query = ''): Promise<AgentCashResponse> {
    return (await this.shop.ask('get', this.path(`cash${query}`), this.agent).expect(200)).body as AgentCashResponse;
  }

  /** Takes so much off what the agent answers for, by hand, as two agree. */
  async correct(amount: number): Promise<void> {
    const wallet = async (kind: string, ownerId: string): Promise<string> => {
      const row = await this.shop.row<{ id: string }>('SELECT id FROM wallets WHERE kind = $1 AND owner_id = $2', [
        kind,
        ownerId,
      ]);
      return row.id;
    };
    const body = {
      from: await wallet('CASH_SHORT_OVER', this.shop.store.id),
      to: await wallet('AGENT_CASH', this.agent.id),
      amount: USD(amount),
      reason: 'Booked twice',
    };
    const asked = await this.shop
      .ask('post', '/api/wallets/adjustments', this.shop.manager, { body, key: freshKey() })
      .expect(201);
    const { approvalId } = asked.body as { approvalId: string };
    await this.shop.ask('post', `/api/approvals/${approvalId}/approve`, this.other, { body: {} }).expect(200);
  }

  async books() {
    return {
      cash: await this.walletOf('AGENT_CASH', this.agent.id),
      vault: await this.walletOf('CASH_VAULT'),
      shortOver: await this.walletOf('CASH_SHORT_OVER'),
    };
  }

  async moved(before: Awaited<ReturnType<Cash['books']>>) {
    const { cash, vault, shortOver } = await this.books();
    return { cash: cash - before.cash, vault: vault - before.vault, shortOver: shortOver - before.shortOver };
  }

  async walletOf(kind: string, ownerId = this.shop.store.id): Promise<number> {
    const { sum } = await this.shop.row(
      `SELECT coalesce(sum(e.amount), 0) AS sum FROM wallets w LEFT JOIN ledger_entries e ON e.wallet_id = w.id
        WHERE w.kind = $1 AND w.owner_id = $2`,
      [kind, ownerId],
    );
    return Number(sum);
  }
}

/** Every line adds up, and the totals are their sums. */
export function addsUp({ totals, shifts: items, cashInHand }: AgentCashResponse): void {
  const sum = (of: (shift: ShiftResponse) => number): number => items.reduce((total, shift) => total + of(shift), 0);
  for (const shift of items) {
    expect(shift.due.amount - shift.short.amount + shift.above.amount).toBe(shift.collected.amount);
    const had = shift.openingCash.amount + shift.charged.amount + shift.collected.amount + shift.adjusted.amount;
    expect(had - shift.remitted.amount).toBe(shift.expected.amount);
  }
  expect(totals.collected.amount).toBe(sum(({ collected }) => collected.amount));
  expect(totals.remitted.amount).toBe(sum(({ remitted, handedIn }) => remitted.amount + handedIn.amount));
  const came = totals.carriedIn.amount + totals.collected.amount + totals.adjusted.amount;
  const missing = totals.writtenOff.amount + totals.chargedBack.amount + totals.underApproval.amount;
  expect(came).toBe(totals.remitted.amount + missing + totals.inHand.amount);
  expect(cashInHand.amount).toBe(sum(({ outstanding }) => outstanding.amount));
  expect(cashInHand.amount).toBe(totals.inHand.amount + totals.underApproval.amount);
}
