import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Public, Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import {
  NewSlotsDto,
  SlotBookingsResponse,
  SlotChangesDto,
  SlotsMadeResponse,
  SlotsQuery,
  SlotsResponse,
} from './dto/slot.dto.js';
import { SlotAvailability } from './slot-availability.js';
import { SlotsService } from './slots.service.js';

@ApiTags('slots')
@ApiBearerAuth()
@Controller('api/slots')
export class SlotsController {
  constructor(
    private readonly slots: SlotsService,
    private readonly availability: SlotAvailability,
  ) {}

  /** The delivery windows of a day for a zip code, full and closed ones too. Booked by placing an order with `slotId`. */
  @Public()
  @Get()
  available(@Query() query: SlotsQuery): Promise<SlotsResponse> {
    return this.availability.of(query);
  }

  /** The same windows for each day, in the store's time zone. Can be repeated. */
  @Roles('MANAGER', 'ADMIN')
  @Post()
  create(@Body() body: NewSlotsDto): Promise<SlotsMadeResponse> {
    return this.slots.create(body);
  }

  @Roles('MANAGER', 'ADMIN')
  @Patch(':id')
  change(@Param('id', IdPipe) id: string, @Body() body: SlotChangesDto): Promise<SlotBookingsResponse> {
    return this.slots.change(id, body);
  }
}
