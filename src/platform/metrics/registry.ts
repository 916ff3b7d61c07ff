import { Registry } from 'prom-client';

/** The one registry that GET /metrics prints. */
export const registry = new Registry();
