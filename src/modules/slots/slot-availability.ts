import { Injectable } from '@nestjs/common';
import { Answer } from '../../platform/cache/answer.js';
import { CacheService } from '../../platform/cache/cache.service.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { defineCache } from '../../platform/cache/define-cache.js';
import type { Tag } from '../../platform/cache/invalidation/tags.js';
import { Database } from '../../platform/prisma/database.js';
import type { SlotResponse, SlotsQuery, SlotsResponse } from './dto/slot.dto.js';
import { type SlotRow, slotsFor } from './slots.queries.js';

/** Midnight is at one of these everywhere. */
const QUARTER_HOUR_MS = 900_000;

const AVAILABILITY = defineCache({
  name: 'slots.availability',
  category: 'slots',
  ttlMs: 60_000,
  staleMs: 0,
  tags: (_zip: string, _day: string | number): Tag[] => ['slots'],
});

/** Delivery windows to choose from. Nothing decides by them: whether there is a place left, the order itself finds out. */
@Injectable()
export class SlotAvailability {
  constructor(
    readonly cache: CacheService,
    private readonly database: Database,
  ) {}

  /** The windows of a day, of today where none is named; from the cache, but whether it is too late for one is seen now. */
  async of({ zip, date }: SlotsQuery): Promise<SlotsResponse> {
    const { items } = (await this.read(zip, date ?? Math.floor(Date.now() / QUARTER_HOUR_MS))).value;
    const now = Date.now();
    return { items: items.map((slot) => ({ ...slot, open: slot.open && Date.parse(slot.cutoffAt) > now })) };
  }

  /** @param day the date, or the quarter of an hour in which today is meant */
  @Cached(AVAILABILITY)
  private async read(zip: string, day: string | number): Promise<Answer<SlotsResponse>> {
    const date = typeof day === 'string' ? day : undefined;
    const rows = await this.database.query<SlotRow & Record<string, unknown>>(slotsFor(zip, date));
    return Answer.of({ items: rows.map(toSlot) });
  }
}

function toSlot({ id, starts_at, ends_at, cutoff_at, capacity, booked, closed_at }: SlotRow): SlotResponse {
  const left = capacity - booked;
  return {
    id,
    startsAt: starts_at.toISOString(),
    endsAt: ends_at.toISOString(),
    cutoffAt: cutoff_at.toISOString(),
    left,
    open: left > 0 && closed_at === null,
  };
}
