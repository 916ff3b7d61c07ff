import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { failure } from '../../../common/exceptions/failure.js';
import { Database } from '../../../platform/prisma/database.js';
import { readDatabaseError } from '../../../platform/prisma/database-error.js';
import type {
  NextAction,
  Outcome,
  PaymentProvider,
  ProviderNews,
  ProviderOperation,
  ProviderState,
  WebhookHeaders,
} from './payment-provider.js';
import { testCardToken } from './test-cards.js';
import {
  answerAsTestBank,
  type AskedRow,
  askTestProvider,
  testPayment,
  type TestPaymentRow,
} from './test-provider.queries.js';

export const TEST_SIGNATURE_HEADER = 'larder-test-signature';
const SIGNATURE = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;
/** As Stripe's. */
const TOLERANCE_S = 300;

/** News of the test provider, as its webhook sends them. */
export interface TestNews {
  eventId: string;
  type: string;
  ref: string;
  storeId: string;
  paymentId: string;
}

/**
 * A card network in Larder's own database, so that a card order can be placed, and everything that goes wrong with cards can
 * be tried, without any network: what a card does stands in test_provider_ask(). Never in production.
 */
export class TestProvider implements PaymentProvider {
  readonly name = 'test';
  private readonly key: string;

  constructor(
    private readonly database: Database,
    secret: string,
  ) {
    this.key = hash('sha256', `test provider ${secret}`, 'hex');
  }

  tokenOf(source: string): string | null {
    return testCardToken(source);
  }

  async perform(operation: ProviderOperation): Promise<Outcome> {
    try {
      const [row] = await this.database.query<AskedRow & object>(askTestProvider(operation));
      const outcome = row?.outcome as Outcome;
      if (outcome.result !== 'ACTION_REQUIRED') return outcome;
      return { ...outcome, nextAction: this.challenge(outcome.ref) };
    } catch (error) {
      // Its database is its network.
      const code = readDatabaseError(error)?.failure;
      if (!code) throw error;
      return { result: 'UNKNOWN', code };
    }
  }

  async retrieve(ref: string): Promise<ProviderState> {
    const [row] = await this.database.query<TestPaymentRow>(testPayment(ref));
    if (!row) throw new Error('The test provider knows no such payment');
    const state = row.status;
    if (state === 'WAITING') return { state, failureCode: 'card_declined' };
    return state === 'ACTION_REQUIRED' ? { state, nextAction: this.challenge(ref) } : { state };
  }

  /** The customer's bank makes up its mind. False when it wasn't asked. */
  async answerAsBank(ref: string, approved: boolean): Promise<boolean> {
    const [row] = await this.database.query<{ answered: boolean }>(answerAsTestBank(ref, approved));
    return row?.answered ?? false;
  }

  readWebhook(body: string, headers: WebhookHeaders): ProviderNews {
    const [, time, signature = ''] = SIGNATURE.exec(String(headers[TEST_SIGNATURE_HEADER])) ?? [];
    const expected = this.signatureOf(body, Number(time));
    if (!time || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) throw failure('WEBHOOK_INVALID');
    if (Date.now() / 1000 - Number(time) > TOLERANCE_S) throw failure('WEBHOOK_TOO_OLD');
    return JSON.parse(body) as TestNews;
  }

  /** A webhook as it comes from outside: its body and the header that proves it. */
  writeWebhook(news: TestNews, now = Date.now()): { body: string; headers: WebhookHeaders } {
    const body = JSON.stringify(news);
    const time = Math.floor(now / 1000);
    return { body, headers: { [TEST_SIGNATURE_HEADER]: `t=${time},v1=${this.signatureOf(body, time)}` } };
  }

  private challenge(ref: string): NextAction {
    return { type: 'TEST_BANK', clientSecret: null, url: `/api/test-bank/${ref}` };
  }

  private signatureOf(body: string, time: number): string {
    return createHmac('sha256', this.key).update(`${time}.${body}`).digest('hex');
  }
}
