import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { CouponsService } from './coupons.service.js';
import { CouponChangesDto, CouponPageResponse, CouponResponse, CouponsQuery, NewCouponDto } from './dto/coupon.dto.js';

@ApiTags('promotions')
@ApiBearerAuth()
@Controller('api/coupons')
export class CouponsController {
  constructor(private readonly coupons: CouponsService) {}

  /** Newest first. */
  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get()
  list(@Query() query: CouponsQuery): Promise<CouponPageResponse> {
    return this.coupons.page(query);
  }

  @Roles('SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id')
  find(@Param('id', IdPipe) id: string): Promise<CouponResponse> {
    return this.coupons.find(id);
  }

  @Roles('MANAGER', 'ADMIN')
  @Post()
  create(@Body() body: NewCouponDto): Promise<CouponResponse> {
    return this.coupons.create(body);
  }

  /** What it takes off stays as it is; when, for whom and how often may change. Switched off, it takes no more orders. */
  @Roles('MANAGER', 'ADMIN')
  @Patch(':id')
  change(@Param('id', IdPipe) id: string, @Body() body: CouponChangesDto): Promise<CouponResponse> {
    return this.coupons.change(id, body);
  }
}
