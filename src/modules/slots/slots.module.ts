import { Module } from '@nestjs/common';
import { SlotAvailability } from './slot-availability.js';
import { SlotsController } from './slots.controller.js';
import { SlotsService } from './slots.service.js';
import { ZonesController } from './zones.controller.js';
import { ZonesService } from './zones.service.js';

@Module({ controllers: [SlotsController, ZonesController], providers: [SlotsService, SlotAvailability, ZonesService] })
export class SlotsModule {}
