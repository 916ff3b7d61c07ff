import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { paymentMetrics } from '../../platform/metrics/payment.metrics.js';
import { Database } from '../../platform/prisma/database.js';
import { acrossStoresReceiveEvent, type ReceivedRow } from './provider-events.queries.js';
import { PaymentProviders } from './providers/payment-providers.js';
import type { PaymentProvider, ProviderNews, WebhookHeaders } from './providers/payment-provider.js';

/** The inbox: news of a provider are kept, each once, and a job is to look what they mean. One statement. */
@Injectable()
export class ReceiveEvent {
  constructor(
    private readonly database: Database,
    private readonly providers: PaymentProviders,
    private readonly logger: LarderLogger,
  ) {}

  /** Returns once they are safe. @throws NOT_FOUND for a provider that isn't in use, WEBHOOK_INVALID, WEBHOOK_TOO_OLD */
  async receive(name: string, body: string, headers: WebhookHeaders): Promise<void> {
    const provider = this.providers.find(name);
    if (!provider) throw failure('NOT_FOUND');
    const news = this.read(provider, body, headers);
    const [row] = await this.database.query<ReceivedRow>(acrossStoresReceiveEvent(name, news, body));
    const result = row?.result ?? 'UNKNOWN';
    paymentMetrics.webhooks.inc({ provider: name, result: result.toLowerCase() });
    const { type, paymentId } = news;
    this.logger.info({
      event: 'payment_webhook_accepted',
      provider: name,
      type,
      result,
      paymentId: paymentId ?? undefined,
    });
  }

  private read(provider: PaymentProvider, body: string, headers: WebhookHeaders): ProviderNews {
    try {
      return provider.readWebhook(body, headers);
    } catch (error) {
      paymentMetrics.webhooks.inc({ provider: provider.name, result: 'refused' });
      this.logger.warn({ event: 'payment_webhook_refused', provider: provider.name });
      throw error;
    }
  }
}
