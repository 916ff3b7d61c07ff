/** Something that holds in every sound database. */
export interface Claim {
  /** Says what holds, so that a broken one reads as what is wrong. */
  name: string;
  /**
   * Finds what breaks it: the store and the id first, then what an investigation starts from. Set-based: every table is read
   * as a whole, or by an index where little of it is wanted, so that its time grows with the shop and not with its square.
   * Where tables have to agree they are put under each other and grouped, or joined FULL: a row that one of them lacks shows
   * like a figure that is wrong.
   */
  sql: string;
  /**
   * How the planner is not to do it. Tables that are walked side by side along their keys, which are in the order of time as
   * the rows are, need neither a hash table of millions of groups nor the disk for it; the planner, who takes groups to be
   * fewer than they are, would rather have one. Of a small table it makes no difference.
   */
  without?: readonly PlanNode[];
  /** CPU time in seconds at 1,000,000 orders, of those that take more than two: the longest is begun first. */
  seconds?: number;
}

export type PlanNode = 'hashagg' | 'hashjoin' | 'indexscan' | 'mergejoin' | 'sort';

export interface ClaimGroup {
  /** One word, for --only. */
  name: string;
  claims: readonly Claim[];
}

/** What became of checking one claim. */
export interface Finding {
  group: string;
  claim: string;
  /** Rows that break it; null when it could not be checked. */
  broken: number | null;
  /** The first of them. */
  rows: Record<string, unknown>[];
  ms: number;
  /** Why it could not be checked. */
  error?: string;
}
