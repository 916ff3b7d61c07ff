/** What all dashboards tell first. */
export class DashboardResponse {
  /** When the figures were read. */
  generatedAt: string;
}

/** Of days of the store, both in it. */
export class RangedResponse extends DashboardResponse {
  from: string;
  to: string;
}

export class RateDto {
  count: number;
  of: number;
  /** count / of, to four places; null of none. */
  rate: number | null;
}
