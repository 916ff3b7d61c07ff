import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Operations } from '../../http/access.js';
import { RawBody } from '../../http/raw-body.js';
import { ReceivedResponse } from './dto/payment.dto.js';
import type { WebhookHeaders } from './providers/payment-provider.js';
import { ReceiveEvent } from './receive-event.js';

@ApiTags('payments')
@Operations()
@Controller('api/webhooks/payments')
export class PaymentWebhooksController {
  constructor(private readonly receiving: ReceiveEvent) {}

  /** News from a payment provider, signed by it. Answered once they are kept; the same news again change nothing. */
  @RawBody()
  @ApiBody({ schema: { type: 'object' } })
  @ApiOkResponse({ type: ReceivedResponse })
  @HttpCode(200)
  @Post(':provider')
  async receive(
    @Param('provider') provider: string,
    @Body() body: string,
    @Headers() headers: WebhookHeaders,
  ): Promise<ReceivedResponse> {
    await this.receiving.receive(provider, body, headers);
    return { received: true };
  }
}
