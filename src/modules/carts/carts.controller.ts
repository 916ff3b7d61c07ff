import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { failure } from '../../common/exceptions/failure.js';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { CurrentVisitor, SentCartToken, type Visitor } from '../../http/guest.js';
import { IdPipe } from '../../http/id.pipe.js';
import { WrittenJson } from '../../http/written-json.js';
import { CartsService } from './carts.service.js';
import { CartLineDto, CartResponse, OpenedCartResponse, QuoteCartDto, QuoteResponse } from './dto/cart.dto.js';
import { MergeCarts } from './merge-carts.js';
import { QuoteCart } from './quote-cart.js';

const GUESTS_TOKEN = { name: 'X-Cart-Token', required: false, description: "a guest's, as POST /api/carts told it" };

@ApiTags('carts')
@ApiBearerAuth()
@Controller('api/carts')
export class CartsController {
  constructor(
    private readonly carts: CartsService,
    private readonly merging: MergeCarts,
    private readonly quoting: QuoteCart,
  ) {}

  /** Opens a guest's cart and tells its token, this once. A customer's open cart is answered with 200, a new one with 201. */
  @Roles('STRANGER', 'CUSTOMER')
  @ApiResponse({ status: 200, type: CartResponse })
  @ApiResponse({ status: 201, type: OpenedCartResponse })
  @Post()
  async open(
    @CurrentVisitor() visitor: Visitor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OpenedCartResponse> {
    const { cart, opened } = await this.carts.open(visitor);
    if (!opened) void reply.status(200);
    return cart;
  }

  /** Puts what is in the guest's cart of X-Cart-Token into one's own; POST /api/auth/login with that header does it too. */
  @Roles('CUSTOMER')
  @ApiHeader({ ...GUESTS_TOKEN, required: true })
  @ApiOkResponse({ type: CartResponse })
  @WrittenJson()
  @HttpCode(200)
  @Post('merge')
  merge(@CurrentActor() actor: Actor, @SentCartToken() tokenHash: Buffer | null): Promise<string> {
    if (!tokenHash) throw failure('NOT_FOUND');
    return this.merging.merge(actor.id, tokenHash);
  }

  /** With today's prices, and what would keep it from being ordered. */
  @Roles('GUEST', 'CUSTOMER')
  @ApiHeader(GUESTS_TOKEN)
  @ApiOkResponse({ type: CartResponse })
  @WrittenJson()
  @Get(':id')
  find(@Param('id', IdPipe) id: string, @CurrentVisitor() visitor: Visitor): Promise<string> {
    return this.carts.document(id, visitor);
  }

  @Roles('GUEST', 'CUSTOMER')
  @ApiHeader(GUESTS_TOKEN)
  @ApiOkResponse({ type: CartResponse })
  @WrittenJson()
  @Put(':id/lines/:variantId')
  setLine(
    @Param('id', IdPipe) id: string,
    @Param('variantId', IdPipe) variantId: string,
    @Body() { quantity }: CartLineDto,
    @CurrentVisitor() visitor: Visitor,
  ): Promise<string> {
    return this.carts.setLine(id, visitor, variantId, quantity);
  }

  @Roles('GUEST', 'CUSTOMER')
  @ApiHeader(GUESTS_TOKEN)
  @ApiOkResponse({ type: CartResponse })
  @WrittenJson()
  @Delete(':id/lines/:variantId')
  removeLine(
    @Param('id', IdPipe) id: string,
    @Param('variantId', IdPipe) variantId: string,
    @CurrentVisitor() visitor: Visitor,
  ): Promise<string> {
    return this.carts.setLine(id, visitor, variantId, 0);
  }

  /** What ordering it would cost now, by the rules that the order itself is charged by. Books nothing. */
  @Roles('GUEST', 'CUSTOMER')
  @ApiHeader(GUESTS_TOKEN)
  @HttpCode(200)
  @Post(':id/quote')
  quote(
    @Param('id', IdPipe) id: string,
    @Body() body: QuoteCartDto,
    @CurrentVisitor() visitor: Visitor,
  ): Promise<QuoteResponse> {
    return this.quoting.quote(id, visitor, body);
  }
}
