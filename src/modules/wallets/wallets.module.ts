import { Module } from '@nestjs/common';
import { MoveMoney } from './move-money.js';
import { WalletsController } from './wallets.controller.js';
import { WalletsService } from './wallets.service.js';

@Module({ controllers: [WalletsController], providers: [WalletsService, MoveMoney], exports: [WalletsService] })
export class WalletsModule {}
