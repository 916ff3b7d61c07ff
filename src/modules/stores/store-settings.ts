import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { currentStore } from '../../common/request-context.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database } from '../../platform/prisma/database.js';
import type { StoreChangesDto, StoreResponse } from './dto/store.dto.js';
import { zoneIsKnown } from './stores.queries.js';

const COLUMNS = {
  id: true,
  slug: true,
  name: true,
  currency: true,
  timezone: true,
  serviceZipCodes: true,
  deliveryFee: true,
  agentFee: true,
  agentFloatLimit: true,
  offerTtlSeconds: true,
  offerRounds: true,
  promiseMinutes: true,
  deliveryProof: true,
  taxInclusive: true,
  taxRatePpm: true,
  deliveryTaxPpm: true,
  paymentMinutes: true,
  cardCapture: true,
  overpaymentLimit: true,
  refundApprovalThreshold: true,
  withdrawalApprovalThreshold: true,
  approvalsRequired: true,
} as const;

/** How a store works. Statements that decide about money read it themselves, so that a change holds from its commit on. */
@Injectable()
export class StoreSettings {
  constructor(
    private readonly database: Database,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  async find(): Promise<StoreResponse> {
    const row = await this.database.prisma.store.findUniqueOrThrow({
      where: { id: currentStore() },
      select: COLUMNS,
    });
    return toResponse(row);
  }

  /**
   * Only what is named changes. In another time zone all days are others, of whatever was read before.
   * @throws VALIDATION_FAILED for a time zone that PostgreSQL does not know
   */
  @InvalidateCache('orders:*', 'shipping:*', 'slots:*')
  async change(changes: StoreChangesDto): Promise<StoreResponse> {
    if (changes.timezone !== undefined) await this.requireTimeZone(changes.timezone);
    const row = await this.database.prisma.store.update({
      where: { id: currentStore() },
      data: changedColumns(changes),
      select: COLUMNS,
    });
    return toResponse(row);
  }

  /** Node and PostgreSQL each have a copy of the IANA database; days are worked out by PostgreSQL's. */
  private async requireTimeZone(timezone: string): Promise<void> {
    const [found] = await this.database.query<{ known: boolean }>(zoneIsKnown(timezone));
    if (!found?.known) {
      throw failure('VALIDATION_FAILED', [{ field: 'timezone', message: 'timezone is not known to the database' }]);
    }
  }
}

/** Column by column: nothing that the DTO may get one day changes a store by itself. */
function changedColumns(changes: StoreChangesDto) {
  const { name, timezone, serviceZipCodes, deliveryProof, cardCapture, taxInclusive, taxRatePpm, deliveryTaxPpm } =
    changes;
  const { deliveryFee, agentFee, agentFloatLimit, offerTtlSeconds, offerRounds, promiseMinutes, paymentMinutes } =
    changes;
  const { overpaymentLimit, refundApprovalThreshold, withdrawalApprovalThreshold, approvalsRequired } = changes;
  return {
    ...{ name, timezone, serviceZipCodes, deliveryProof, cardCapture, taxInclusive, taxRatePpm, deliveryTaxPpm },
    ...{ deliveryFee, agentFee, agentFloatLimit, offerTtlSeconds, offerRounds, promiseMinutes, paymentMinutes },
    ...{ overpaymentLimit, refundApprovalThreshold, withdrawalApprovalThreshold, approvalsRequired },
  };
}

type Amounts =
  | 'deliveryFee'
  | 'agentFee'
  | 'agentFloatLimit'
  | 'overpaymentLimit'
  | 'refundApprovalThreshold'
  | 'withdrawalApprovalThreshold';

/** Amounts are below 2^53 by their DTO. */
function toResponse(row: Omit<StoreResponse, Amounts> & Record<Amounts, bigint>): StoreResponse {
  return {
    ...row,
    deliveryFee: Number(row.deliveryFee),
    agentFee: Number(row.agentFee),
    agentFloatLimit: Number(row.agentFloatLimit),
    overpaymentLimit: Number(row.overpaymentLimit),
    refundApprovalThreshold: Number(row.refundApprovalThreshold),
    withdrawalApprovalThreshold: Number(row.withdrawalApprovalThreshold),
  };
}
