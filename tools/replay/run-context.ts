import type { Account } from './account.ts';
import type { Plan } from './plan.ts';

/** What every part of a run needs. */
export interface Run {
  plan: Plan;
  concurrency: number;
  zip: string;
  manager: Account;
  /** By customer number; empty is the guest who stands for all without one. */
  customers: Map<string, Account>;
  /** What Larder refused, for a person. */
  refusals: string[];
}

/** Begins the SKUs of a run, and with them everything that its reconciliation counts. */
export function skuPrefix(run: string): string {
  return `R${run}-`;
}

/** Begins the notes of the run's orders and stock movements, by which it knows them again. */
export function notePrefix(run: string): string {
  return `Replay ${run} `;
}
