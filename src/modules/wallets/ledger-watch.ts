import { Injectable, type OnModuleInit } from '@nestjs/common';
import { currentStore } from '../../common/request-context.js';
import { Jobs } from '../../platform/jobs/jobs.service.js';
import { LarderLogger } from '../../platform/logging/larder-logger.js';
import { ledgerMetrics } from '../../platform/metrics/ledger.metrics.js';
import { WalletsService } from './wallets.service.js';

const EVERY_S = 60;

/** Sees to it that an imbalance of the ledger, which the database doesn't let happen, is told within a minute all the same. */
@Injectable()
export class LedgerWatch implements OnModuleInit {
  constructor(
    private readonly jobs: Jobs,
    private readonly wallets: WalletsService,
    private readonly logger: LarderLogger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule('ledger.watch', EVERY_S, () => this.watch());
  }

  private async watch(): Promise<void> {
    let all = 0;
    await this.jobs.eachStore(async () => {
      const imbalance = await this.wallets.imbalance();
      if (imbalance > 0) {
        this.logger.error({ event: 'ledger_imbalance_detected', storeId: currentStore(), imbalance });
      }
      all += imbalance;
    });
    ledgerMetrics.imbalance.set(all);
  }
}
