import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import { violates } from '../../platform/prisma/database-error.js';
import type {
  NewSlotsDto,
  SlotBookingsResponse,
  SlotChangesDto,
  SlotDayQuery,
  SlotsMadeResponse,
  ZoneDayResponse,
} from './dto/slot.dto.js';
import { insertSlots, type SlotRow, slotsOfZone } from './slots.queries.js';

const DAY_MS = 86_400_000;
const MOST_DAYS = 62;

/** Delivery windows. Their places are taken by place_order() and given back by release_booking(), never here. */
@Injectable()
export class SlotsService {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** @throws NOT_FOUND */
  async ofZone(zoneId: string, { date }: SlotDayQuery): Promise<ZoneDayResponse> {
    await this.requireZone(zoneId);
    const rows = await this.database.query<SlotRow & Record<string, unknown>>(slotsOfZone(zoneId, date));
    return { items: rows.map(toBookings) };
  }

  /** @throws INVALID_REFERENCE, VALIDATION_FAILED for days or windows the wrong way round */
  @InvalidateCache('slots')
  async create(body: NewSlotsDto): Promise<SlotsMadeResponse> {
    const days = (Date.parse(body.to) - Date.parse(body.from)) / DAY_MS;
    if (!(days >= 0 && days < MOST_DAYS)) {
      throw failure('VALIDATION_FAILED', [
        { field: 'to', message: `to must be 0 to ${MOST_DAYS - 1} days after from` },
      ]);
    }
    const turned = body.windows.findIndex(({ start, end }) => start >= end);
    if (turned >= 0) {
      throw failure('VALIDATION_FAILED', [{ field: `windows.${turned}.end`, message: 'end must be after start' }]);
    }
    const zone = await this.database.prisma.deliveryZone.count({ where: { id: body.zoneId } });
    if (zone === 0) throw failure('INVALID_REFERENCE', [{ field: 'zoneId' }]);
    const [made] = await this.database.query<{ created: number }>(insertSlots(body));
    return { created: made?.created ?? 0 };
  }

  /** @throws NOT_FOUND, SLOT_BELOW_BOOKED */
  @InvalidateCache('slots')
  async change(id: string, { capacity, closed }: SlotChangesDto): Promise<SlotBookingsResponse> {
    const closedAt = closed === undefined ? undefined : closed ? new Date() : null;
    try {
      const [row] = await this.database.prisma.deliverySlot.updateManyAndReturn({
        where: { id },
        data: { capacity, closedAt },
      });
      if (!row) throw failure('NOT_FOUND');
      const { zoneId, startsAt, endsAt, cutoffAt, booked } = row;
      return toBookings({
        id,
        zone_id: zoneId,
        starts_at: startsAt,
        ends_at: endsAt,
        cutoff_at: cutoffAt,
        capacity: row.capacity,
        booked,
        closed_at: row.closedAt,
      });
    } catch (error) {
      if (violates(error, 'delivery_slots_booked_check')) throw failure('SLOT_BELOW_BOOKED');
      throw error;
    }
  }

  private async requireZone(id: string): Promise<void> {
    const zone = await this.database.prisma.deliveryZone.count({ where: { id } });
    if (zone === 0) throw failure('NOT_FOUND');
  }
}

function toBookings(row: SlotRow): SlotBookingsResponse {
  return {
    id: row.id,
    zoneId: row.zone_id,
    startsAt: row.starts_at.toISOString(),
    endsAt: row.ends_at.toISOString(),
    cutoffAt: row.cutoff_at.toISOString(),
    capacity: row.capacity,
    booked: row.booked,
    closed: row.closed_at !== null,
  };
}
