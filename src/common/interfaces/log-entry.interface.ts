type LogDomain =
  | 'approval'
  | 'auth'
  | 'cache'
  | 'cart'
  | 'catalog'
  | 'dashboard'
  | 'database'
  | 'embedded'
  | 'health'
  | 'http'
  | 'inventory'
  | 'job'
  | 'larder'
  | 'ledger'
  | 'order'
  | 'outbox'
  | 'payment'
  | 'refund'
  | 'shipping'
  | 'slow'
  | 'transaction'
  | 'wallet';

type LogStatus =
  | 'accepted'
  | 'cancelled'
  | 'completed'
  | 'conflict'
  | 'created'
  | 'detected'
  | 'down'
  | 'failed'
  | 'placed'
  | 'refused'
  | 'retry'
  | 'reused'
  | 'started'
  | 'stopped'
  | 'up'
  | 'updated';

/** `domain_action_status`. A name of another form doesn't compile; ESLint refuses capitals and blanks. */
export type EventName = `${LogDomain}_${string}_${LogStatus}` | 'http_exception' | 'unhandled_exception';

/** One line of the log. Never holds parameter values, secrets or personal data. */
export interface LogEntry {
  event: EventName;
  timestamp?: string;
  level?: 'debug' | 'info' | 'warn' | 'error';
  userId?: string;
  orderId?: string;
  paymentId?: string;
  assignmentId?: string;
  agentId?: string;
  walletId?: string;
  /** Milliseconds. */
  duration?: number;
  error?: string;
  stack?: string;
  [field: string]: unknown;
}
