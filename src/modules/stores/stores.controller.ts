import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { StoreChangesDto, StoreResponse } from './dto/store.dto.js';
import { StoreSettings } from './store-settings.js';

@ApiTags('store')
@ApiBearerAuth()
@Roles('MANAGER', 'ADMIN')
@Controller('api/store')
export class StoresController {
  constructor(private readonly settings: StoreSettings) {}

  /** The settings of one's own store. */
  @Get()
  find(): Promise<StoreResponse> {
    return this.settings.find();
  }

  /** Holds for what begins from now on. */
  @Patch()
  change(@Body() body: StoreChangesDto): Promise<StoreResponse> {
    return this.settings.change(body);
  }
}
