import { Gauge } from 'prom-client';
import { registry } from './registry.js';

export const ledgerMetrics = {
  imbalance: new Gauge({
    name: 'larder_ledger_imbalance',
    help: 'Minor units by which books and recent transactions do not add up to zero, over all stores; as the worker saw it last',
    registers: [registry],
  }),
};
