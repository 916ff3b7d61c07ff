import { Body, Controller, Get, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { CurrentVisitor, type Visitor } from '../../http/guest.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { WrittenJson } from '../../http/written-json.js';
import { PageQuery } from '../../http/page.dto.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { ChangeOrderStatus } from './change-order-status.js';
import {
  ChangeOrderDto,
  OrderHistoryPageResponse,
  OrderPageResponse,
  OrderResponse,
  OrdersQuery,
  PlaceOrderDto,
} from './dto/order.dto.js';
import { OrdersService } from './orders.service.js';
import { PlaceOrder } from './place-order.js';

const GUESTS_TOKEN = { name: 'X-Cart-Token', required: false, description: "a guest's, of the cart that he orders" };

@ApiTags('orders')
@ApiBearerAuth()
@Controller('api/orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly placing: PlaceOrder,
    private readonly changing: ChangeOrderStatus,
  ) {}

  /** Places an order at the catalog's prices, of a cart or of lines. All of them or none. */
  @Roles('GUEST', 'CUSTOMER')
  @ApiHeader(GUESTS_TOKEN)
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' })
  @ApiResponse({ status: 201, type: OrderResponse })
  @WrittenJson()
  @Post()
  async place(
    @Body() body: PlaceOrderDto,
    @CurrentVisitor() visitor: Visitor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { document, replayed } = await this.placing.place(visitor, body, request);
    if (replayed) void reply.header('idempotency-replayed', 'true');
    return document;
  }

  /** One's own orders, newest first; all of the store's for staff. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: OrderPageResponse })
  @WrittenJson()
  @Get()
  list(@Query() query: OrdersQuery, @CurrentActor() actor: Actor): Promise<string> {
    return this.orders.page(query, actor);
  }

  /** One's own order, a guest's by the token of its cart, any for staff. */
  @Roles('GUEST', 'CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiHeader(GUESTS_TOKEN)
  @ApiOkResponse({ type: OrderResponse })
  @WrittenJson()
  @Get(':id')
  find(@Param('id', IdPipe) id: string, @CurrentVisitor() visitor: Visitor): Promise<string> {
    return this.orders.document(id, visitor);
  }

  /** Every step of an order, oldest first. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get(':id/history')
  history(
    @Param('id', IdPipe) id: string,
    @Query() query: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<OrderHistoryPageResponse> {
    return this.orders.history(id, query, actor);
  }

  /** Moves an order on: customers cancel their own, staff take the other steps. */
  @Roles('CUSTOMER', 'SUPPORT', 'MANAGER', 'ADMIN')
  @ApiOkResponse({ type: OrderResponse })
  @WrittenJson()
  @Patch(':id')
  async change(
    @Param('id', IdPipe) id: string,
    @Body() body: ChangeOrderDto,
    @CurrentActor() actor: Actor,
  ): Promise<string> {
    await this.changing.change(id, body.status, actor, body);
    return this.orders.document(id, { actor, cartTokenHash: null });
  }
}
