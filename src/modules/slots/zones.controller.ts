import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { PageQuery } from '../../http/page.dto.js';
import { SlotDayQuery, ZoneDayResponse } from './dto/slot.dto.js';
import { NewZoneDto, ZoneChangesDto, ZonePageResponse, ZoneResponse } from './dto/zone.dto.js';
import { SlotsService } from './slots.service.js';
import { ZonesService } from './zones.service.js';

@ApiTags('slots')
@ApiBearerAuth()
@Controller('api/zones')
export class ZonesController {
  constructor(
    private readonly zones: ZonesService,
    private readonly slots: SlotsService,
  ) {}

  /** Newest first. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get()
  list(@Query() query: PageQuery): Promise<ZonePageResponse> {
    return this.zones.page(query);
  }

  @Roles('MANAGER', 'ADMIN')
  @Post()
  create(@Body() body: NewZoneDto): Promise<ZoneResponse> {
    return this.zones.create(body);
  }

  @Roles('MANAGER', 'ADMIN')
  @Patch(':id')
  change(@Param('id', IdPipe) id: string, @Body() body: ZoneChangesDto): Promise<ZoneResponse> {
    return this.zones.change(id, body);
  }

  /** Only one that never had windows. */
  @Roles('MANAGER', 'ADMIN')
  @HttpCode(204)
  @Delete(':id')
  remove(@Param('id', IdPipe) id: string): Promise<void> {
    return this.zones.remove(id);
  }

  /** The windows of a day, with what is booked. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id/slots')
  day(@Param('id', IdPipe) id: string, @Query() query: SlotDayQuery): Promise<ZoneDayResponse> {
    return this.slots.ofZone(id, query);
  }
}
