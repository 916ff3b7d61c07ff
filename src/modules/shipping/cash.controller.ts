import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Roles } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { IdPipe } from '../../http/id.pipe.js';
import { Idempotent } from '../../http/idempotent-request.js';
import { PageQuery } from '../../http/page.dto.js';
import { sendAnswer } from '../../http/send-answer.js';
import type { IdempotentRequest } from '../../platform/idempotency/idempotency.service.js';
import { CloseShift } from './close-shift.js';
import {
  AgentCashResponse,
  CloseShiftDto,
  RemitDto,
  RemittanceResponse,
  ShiftPageResponse,
  ShiftResponse,
} from './dto/cash.dto.js';
import { RangeQuery } from './dto/range.dto.js';
import { HandInCash } from './hand-in-cash.js';
import { ShiftsService } from './shifts.service.js';

const KEY = { name: 'Idempotency-Key', required: true, description: '16 to 255 visible characters' };

@ApiTags('shipping')
@ApiBearerAuth()
@Controller('api/shipping/agents/:id')
export class CashController {
  constructor(
    private readonly cash: HandInCash,
    private readonly closing: CloseShift,
    private readonly shifts: ShiftsService,
  ) {}

  /** The agent hands cash in; whoever takes it records it. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader(KEY)
  @ApiResponse({ status: 201, type: RemittanceResponse })
  @Post('remittances')
  async remit(
    @Param('id', IdPipe) id: string,
    @Body() body: RemitDto,
    @CurrentActor() actor: Actor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.cash.remit(id, actor.id, body, request));
  }

  /** All of an agent's cash is counted and handed in. What is missing or too much waits for somebody else's decision. */
  @Roles('MANAGER', 'ADMIN')
  @ApiHeader(KEY)
  @ApiOkResponse({ type: ShiftResponse })
  @HttpCode(200)
  @Post('shifts/close')
  async close(
    @Param('id', IdPipe) id: string,
    @Body() body: CloseShiftDto,
    @CurrentActor() actor: Actor,
    @Idempotent() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return sendAnswer(reply, await this.closing.close(id, actor.id, body, request));
  }

  /** An agent's shifts, newest first; his own for himself. */
  @Roles('AGENT', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get('shifts')
  list(
    @Param('id', IdPipe) id: string,
    @Query() query: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<ShiftPageResponse> {
    return this.shifts.page(id, query, actor);
  }

  /** Collected, expected, handed in, missing and still in hand: shift by shift and in total. */
  @Roles('AGENT', 'SUPPORT', 'MANAGER', 'ADMIN')
  @Get('cash')
  report(
    @Param('id', IdPipe) id: string,
    @Query() query: RangeQuery,
    @CurrentActor() actor: Actor,
  ): Promise<AgentCashResponse> {
    return this.shifts.cash(id, query, actor);
  }
}
