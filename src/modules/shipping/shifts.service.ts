import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { type Money, money } from '../../common/money.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { type Actor, isStaff } from '../../http/actor.js';
import type { PageQuery } from '../../http/page.dto.js';
import { Database } from '../../platform/prisma/database.js';
import type { AgentCashResponse, ShiftResponse } from './dto/cash.dto.js';
import type { RangeQuery } from './dto/range.dto.js';
import {
  type AgentCashRow,
  cashInHand,
  cashTotals,
  type CashTotalsRow,
  shiftPage,
  type ShiftRow,
} from './shifts.queries.js';
import { readRange } from './time-range.js';

/** Shifts that a report shows one by one; its totals are of all of them. */
const SHOWN_SHIFTS = 100;

/** What agents collected, handed in and still hold: from the rows that say so, shift by shift. */
@Injectable()
export class ShiftsService {
  constructor(private readonly database: Database) {}

  /** Newest first. An agent sees his own. @throws NOT_FOUND, INVALID_CURSOR */
  async page(agentId: string, { limit, cursor }: PageQuery, actor: Actor): Promise<Page<ShiftResponse>> {
    const before = decodeCursor('shifts', cursor, UUID_CURSOR);
    await this.cashOf(agentId, actor);
    const rows = await this.database.query<ShiftRow>(
      shiftPage({ agentId, from: null, to: null, before, limit: limit + 1 }),
    );
    return toPage('shifts', rows.map(toShift), limit, ({ id }) => id);
  }

  /** The shifts opened in a range, each and in total, and what he holds now. @throws NOT_FOUND, RANGE_INVALID */
  async cash(agentId: string, query: RangeQuery, actor: Actor): Promise<AgentCashResponse> {
    const { from, to } = readRange(query);
    const { currency, cash } = await this.cashOf(agentId, actor);
    const of = { agentId, from, to };
    const [totals] = await this.database.query<CashTotalsRow>(cashTotals(of));
    const rows = await this.database.query<ShiftRow>(shiftPage({ ...of, before: null, limit: SHOWN_SHIFTS }));
    if (!totals) throw new Error('Totals are one row');
    const told = (amount: number): Money => money(amount, currency);
    return {
      agentId,
      from: from.toISOString(),
      to: to.toISOString(),
      cashInHand: told(cash),
      totals: {
        shifts: totals.shifts,
        deliveries: totals.deliveries,
        due: told(totals.due),
        short: told(totals.short),
        above: told(totals.above),
        collected: told(totals.collected),
        carriedIn: told(totals.carried_in),
        adjusted: told(totals.adjusted),
        remitted: told(totals.remitted),
        writtenOff: told(totals.written_off),
        chargedBack: told(totals.charged_back),
        underApproval: told(totals.under_approval),
        inHand: told(totals.in_hand),
        over: told(totals.over),
      },
      shifts: rows.map(toShift),
    };
  }

  private async cashOf(agentId: string, actor: Actor): Promise<AgentCashRow> {
    if (!isStaff(actor) && actor.id !== agentId) throw failure('NOT_FOUND');
    const [row] = await this.database.query<AgentCashRow>(cashInHand(agentId));
    if (!row) throw failure('NOT_FOUND');
    return row;
  }
}

export function toShift(row: ShiftRow): ShiftResponse {
  const told = (amount: bigint | number): Money => money(amount, row.currency);
  const expected = Number(row.expected);
  const variance = row.counted === null ? 0 : Number(row.counted) - expected;
  const missing = { OPEN: expected, COUNTED: Math.max(0, -variance), CLOSED: 0 }[row.status];
  return {
    id: row.id,
    agentId: row.agent_id,
    status: row.status,
    openedAt: row.opened_at.toISOString(),
    countedAt: row.counted_at?.toISOString() ?? null,
    countedBy: row.counted_by,
    closedAt: row.closed_at?.toISOString() ?? null,
    deliveries: row.deliveries,
    due: told(row.due),
    short: told(row.short),
    above: told(row.above),
    openingCash: told(row.opening_cash),
    charged: told(row.charged),
    collected: told(row.collected),
    adjusted: told(row.adjusted),
    remitted: told(row.remitted),
    expected: told(expected),
    counted: row.counted === null ? null : told(row.counted),
    handedIn: told(row.handed_in),
    variance:
      row.approval_id === null || row.approval_status === null
        ? null
        : { amount: told(variance), status: row.approval_status, approvalId: row.approval_id },
    outstanding: told(missing),
  };
}
