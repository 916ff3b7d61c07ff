import { Module } from '@nestjs/common';
import { StoreSettings } from './store-settings.js';
import { StoresController } from './stores.controller.js';
import { StoresService } from './stores.service.js';

@Module({ controllers: [StoresController], providers: [StoresService, StoreSettings], exports: [StoresService] })
export class StoresModule {}
