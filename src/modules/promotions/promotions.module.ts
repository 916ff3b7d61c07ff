import { Module } from '@nestjs/common';
import { CouponsController } from './coupons.controller.js';
import { CouponsService } from './coupons.service.js';
import { GuessesCleanup } from './guesses-cleanup.js';

@Module({ controllers: [CouponsController], providers: [CouponsService, GuessesCleanup] })
export class PromotionsModule {}
