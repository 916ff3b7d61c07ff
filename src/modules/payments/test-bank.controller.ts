import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { failure } from '../../common/exceptions/failure.js';
import { Public } from '../../http/access.js';
import { ReceivedResponse, TestBankDto } from './dto/payment.dto.js';
import { PaymentProviders } from './providers/payment-providers.js';

/** What a page of the customer's bank would be, for cards of the test provider. Not in production. */
@ApiTags('payments')
@Public()
@Controller('api/test-bank')
export class TestBankController {
  constructor(private readonly providers: PaymentProviders) {}

  /** The customer's bank lets a card be charged, or doesn't. Its news reach the shop as a webhook. */
  @HttpCode(200)
  @Post(':ref')
  async answer(@Param('ref') ref: string, @Body() { approved }: TestBankDto): Promise<ReceivedResponse> {
    if (!(await this.providers.test?.answerAsBank(ref, approved))) throw failure('NOT_FOUND');
    return { received: true };
  }
}
