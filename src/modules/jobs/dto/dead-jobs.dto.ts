export class DeadJobResponse {
  id: string;
  /** What was to be done: 'refund.execute'. */
  name: string;
  /** What it was about. Secrets and personal data, should there be any, are not shown. */
  data: Record<string, unknown>;
  attempts: number;
  /** Code of the last failure. */
  error: string;
  createdAt: string;
  diedAt: string;
}

export class DeadJobPage {
  items: DeadJobResponse[];
  nextCursor: string | null;
}
