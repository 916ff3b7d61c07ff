import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { CartsCleanup } from './carts-cleanup.js';
import { CartsController } from './carts.controller.js';
import { CartsService } from './carts.service.js';
import { MergeCarts } from './merge-carts.js';
import { QuoteCart } from './quote-cart.js';
import { QuoteTokens } from './quote-tokens.js';

@Module({
  imports: [AuthModule, PaymentsModule],
  controllers: [CartsController],
  providers: [CartsService, CartsCleanup, MergeCarts, QuoteCart, QuoteTokens],
  exports: [QuoteTokens],
})
export class CartsModule {}
