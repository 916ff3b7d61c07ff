/** A line that could not be used, and why. */
export interface Rejection {
  line: number;
  reason: string;
  content: string;
}
