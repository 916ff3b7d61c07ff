import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { OptionalIdempotent } from '../../http/idempotent-request.js';
import { PageQuery } from '../../http/page.dto.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { AdjustmentDto, StockLevelResponse, StockMovementPage, StockPage, StockQuery } from './dto/inventory.dto.js';
import { InventoryService } from './inventory.service.js';

@ApiTags('inventory')
@ApiBearerAuth()
@Roles('SUPPORT', 'MANAGER', 'ADMIN')
@Controller('api/inventory')
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  /** Stock of what is in the catalog, newest first. */
  @Get()
  list(@Query() query: StockQuery): Promise<StockPage> {
    return this.inventory.list(query);
  }

  @Get(':variantId')
  level(@Param('variantId', IdPipe) variantId: string): Promise<StockLevelResponse> {
    return this.inventory.level(variantId);
  }

  /** What came and went, newest first; its sum is what is on hand. */
  @Get(':variantId/movements')
  movements(@Param('variantId', IdPipe) variantId: string, @Query() query: PageQuery): Promise<StockMovementPage> {
    return this.inventory.movements(variantId, query);
  }

  /** Answers with the level after it. Send an Idempotency-Key, so that a repeated request counts once. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiCreatedResponse({ type: StockLevelResponse })
  @Post(':variantId/adjustments')
  async adjust(
    @CurrentActor() actor: Actor,
    @Param('variantId', IdPipe) variantId: string,
    @Body() body: AdjustmentDto,
    @OptionalIdempotent() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.inventory.adjust(actor.id, variantId, body, request));
  }
}
