import { Injectable } from '@nestjs/common';
import { LarderConfig } from '../../../config/config.js';
import { Database } from '../../../platform/prisma/database.js';
import type { PaymentProvider, ProviderName } from './payment-provider.js';
import { StripeProvider } from './stripe-provider.js';
import { TestProvider } from './test-provider.js';

/** Who charges cards. A payment stays with the provider that it was begun with, whoever charges the next one. */
@Injectable()
export class PaymentProviders {
  /** Who charges the cards of new orders; null: nobody, and CARD is PAYMENT_METHOD_NOT_SUPPORTED. */
  readonly current: ProviderName | null;
  /** Never in production. */
  readonly test: TestProvider | null;
  private readonly all: PaymentProvider[];

  constructor(config: LarderConfig, database: Database) {
    const { PAYMENT_PROVIDER, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET } = config;
    const isProduction = config.NODE_ENV === 'production';
    const chosen = PAYMENT_PROVIDER ?? (isProduction ? 'none' : 'test');
    this.current = chosen === 'none' ? null : chosen;
    this.test = isProduction ? null : new TestProvider(database, config.JWT_SECRET);
    this.all = this.test ? [this.test] : [];
    if (STRIPE_SECRET_KEY && STRIPE_WEBHOOK_SECRET) {
      const settings = {
        secretKey: STRIPE_SECRET_KEY,
        webhookSecret: STRIPE_WEBHOOK_SECRET,
        apiBase: config.STRIPE_API_BASE,
        timeoutMs: config.PAYMENT_TIMEOUT_MS,
      };
      this.all.push(new StripeProvider(settings));
    }
  }

  find(name: string): PaymentProvider | undefined {
    return this.all.find((provider) => provider.name === name);
  }
}
