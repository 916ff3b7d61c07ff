import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { PageQuery } from '../../http/page.dto.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import {
  AmountDto,
  LedgerEntryPage,
  LedgerTotalsResponse,
  MovementResponse,
  TransferDto,
  WalletPage,
  WalletResponse,
  WalletsQuery,
} from './dto/wallets.dto.js';
import { WithdrawalPage } from './dto/withdrawals.dto.js';
import { MoveMoney } from './move-money.js';
import { WalletsService } from './wallets.service.js';
import { WithdrawalsService } from './withdrawals.service.js';

const KEY_REQUIRED = { name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' };

@ApiTags('wallets')
@ApiBearerAuth()
@Controller('api/wallets')
export class WalletsController {
  constructor(
    private readonly wallets: WalletsService,
    private readonly money: MoveMoney,
    private readonly withdrawals: WithdrawalsService,
  ) {}

  /** Every wallet of the store with its balance, newest first; the store's own are found by their kind. */
  @Roles('MANAGER', 'ADMIN')
  @Get()
  list(@Query() query: WalletsQuery): Promise<WalletPage> {
    return this.wallets.list(query);
  }

  /** What the wallets of each kind hold together. The total over all kinds is zero, always. */
  @Roles('MANAGER', 'ADMIN')
  @Get('totals')
  totals(): Promise<LedgerTotalsResponse> {
    return this.wallets.totals();
  }

  /** A customer's wallet, an agent's earnings. */
  @Get('me')
  mine(@CurrentActor() actor: Actor): Promise<WalletResponse> {
    return this.wallets.mine(actor);
  }

  /** From one customer to another. */
  @ApiHeader(KEY_REQUIRED)
  @ApiCreatedResponse({ type: MovementResponse })
  @Post('transfers')
  async transfer(
    @CurrentActor() actor: Actor,
    @Body() body: TransferDto,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.money.transfer(actor, body, request));
  }

  /** One's own; any for staff. */
  @Get(':id')
  find(@CurrentActor() actor: Actor, @Param('id', IdPipe) id: string): Promise<WalletResponse> {
    return this.wallets.find(actor, id);
  }

  /** What moved its balance, newest first. */
  @Get(':id/entries')
  entries(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: string,
    @Query() query: PageQuery,
  ): Promise<LedgerEntryPage> {
    return this.wallets.entries(actor, id, query);
  }

  /** Money handed in at the counter, for a customer. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader(KEY_REQUIRED)
  @ApiCreatedResponse({ type: MovementResponse })
  @Post(':id/top-ups')
  async topUp(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: AmountDto,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.money.topUp(actor, id, body, request));
  }

  /** Those that needed approval, newest first; the smaller ones are among the entries alone. */
  @Get(':id/withdrawals')
  listWithdrawals(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: string,
    @Query() query: PageQuery,
  ): Promise<WithdrawalPage> {
    return this.withdrawals.page(actor, id, query);
  }

  /** Money paid out to the owner: a customer's, or what an agent earned. Above the store's threshold it waits for approval. */
  @ApiHeader(KEY_REQUIRED)
  @ApiCreatedResponse({ type: MovementResponse })
  @Post(':id/withdrawals')
  async withdraw(
    @CurrentActor() actor: Actor,
    @Param('id', IdPipe) id: string,
    @Body() body: AmountDto,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.money.withdraw(actor, id, body, request));
  }
}
