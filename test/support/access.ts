import type { Role } from '../../src/common/request-context.js';

/**
 * anybody: also without a token; somebody: any valid token; else one of these roles. STRANGER among them: also without a
 * token, but not with one of another role.
 */
export type Access = 'anybody' | 'somebody' | readonly (Role | 'STRANGER')[];

const STAFF = ['SUPPORT', 'MANAGER', 'ADMIN'] as const;
const MANAGERS = ['MANAGER', 'ADMIN'] as const;
const CUSTOMER_OR_STAFF = ['CUSTOMER', ...STAFF] as const;
const ADMIN = ['ADMIN'] as const;
const AGENT_OR_STAFF = ['AGENT', ...STAFF] as const;
const AGENT = ['AGENT'] as const;

/** Who may call what, said a second time: isolation.spec.ts tells of a route that is missing here or open to others. */
export const ACCESS: Record<string, Access> = {
  'POST /api/auth/register': 'anybody',
  'POST /api/auth/login': 'anybody',
  'POST /api/auth/refresh': 'anybody',
  'POST /api/auth/logout': 'anybody',
  'GET /api/auth/me': 'somebody',

  'GET /api/products': 'anybody',
  'POST /api/products': MANAGERS,
  'GET /api/products/{id}': 'anybody',
  'PATCH /api/products/{id}': MANAGERS,
  'DELETE /api/products/{id}': MANAGERS,
  'POST /api/products/{productId}/variants': MANAGERS,
  'PATCH /api/products/{productId}/variants/{variantId}': MANAGERS,
  'DELETE /api/products/{productId}/variants/{variantId}': MANAGERS,
  'GET /api/categories': 'anybody',
  'POST /api/categories': MANAGERS,
  'PATCH /api/categories/{id}': MANAGERS,
  'DELETE /api/categories/{id}': MANAGERS,
  'GET /api/store': MANAGERS,
  'PATCH /api/store': MANAGERS,
  'GET /api/zones': STAFF,
  'POST /api/zones': MANAGERS,
  'PATCH /api/zones/{id}': MANAGERS,
  'DELETE /api/zones/{id}': MANAGERS,
  'GET /api/zones/{id}/slots': STAFF,
  'GET /api/slots': 'anybody',
  'POST /api/slots': MANAGERS,
  'PATCH /api/slots/{id}': MANAGERS,
  'GET /api/coupons': STAFF,
  'POST /api/coupons': MANAGERS,
  'GET /api/coupons/{id}': STAFF,
  'PATCH /api/coupons/{id}': MANAGERS,
  'GET /api/inventory': STAFF,
  'GET /api/inventory/{variantId}': STAFF,
  'GET /api/inventory/{variantId}/movements': STAFF,
  'POST /api/inventory/{variantId}/adjustments': MANAGERS,

  'POST /api/carts': ['STRANGER', 'CUSTOMER'],
  'POST /api/carts/merge': ['CUSTOMER'],
  'GET /api/carts/{id}': ['CUSTOMER'],
  'PUT /api/carts/{id}/lines/{variantId}': ['CUSTOMER'],
  'DELETE /api/carts/{id}/lines/{variantId}': ['CUSTOMER'],
  'POST /api/carts/{id}/quote': ['CUSTOMER'],
  'GET /api/orders': CUSTOMER_OR_STAFF,
  'POST /api/orders': ['CUSTOMER'],
  'GET /api/orders/{id}': CUSTOMER_OR_STAFF,
  'GET /api/orders/{id}/history': CUSTOMER_OR_STAFF,
  'PATCH /api/orders/{id}': CUSTOMER_OR_STAFF,
  'GET /api/payments/{id}': CUSTOMER_OR_STAFF,
  'POST /api/payments/{id}/confirm': ['CUSTOMER'],
  'POST /api/payments/{id}/capture': MANAGERS,
  'POST /api/payments/{id}/void': MANAGERS,
  'POST /api/webhooks/payments/{provider}': 'anybody',
  'POST /api/test-bank/{ref}': 'anybody',

  'POST /api/payments/{id}/settlements': MANAGERS,
  'GET /api/wallets': MANAGERS,
  'GET /api/wallets/totals': MANAGERS,
  'GET /api/wallets/me': 'somebody',
  'GET /api/wallets/{id}': 'somebody',
  'GET /api/wallets/{id}/entries': 'somebody',
  'POST /api/wallets/{id}/top-ups': MANAGERS,
  'POST /api/wallets/{id}/withdrawals': 'somebody',
  'GET /api/wallets/{id}/withdrawals': 'somebody',
  'POST /api/wallets/transfers': 'somebody',
  'POST /api/wallets/adjustments': MANAGERS,

  'POST /api/orders/{id}/refunds': STAFF,
  'GET /api/orders/{id}/refunds': CUSTOMER_OR_STAFF,
  'GET /api/refunds/{id}': CUSTOMER_OR_STAFF,
  'GET /api/approvals': MANAGERS,
  'GET /api/approvals/{id}': MANAGERS,
  'POST /api/approvals/{id}/approve': MANAGERS,
  'POST /api/approvals/{id}/reject': MANAGERS,
  'GET /api/notifications': 'somebody',
  'POST /api/notifications/{id}/read': 'somebody',
  'POST /api/users': ADMIN,

  'GET /api/shipping/agents': STAFF,
  'POST /api/shipping/agents': MANAGERS,
  'GET /api/shipping/agents/{id}': STAFF,
  'GET /api/shipping/agents/me': AGENT,
  'PATCH /api/shipping/agents/me': AGENT,
  'POST /api/shipping/agents/{id}/remittances': MANAGERS,
  'POST /api/shipping/agents/{id}/shifts/close': MANAGERS,
  'GET /api/shipping/agents/{id}/shifts': AGENT_OR_STAFF,
  'GET /api/shipping/agents/{id}/cash': AGENT_OR_STAFF,
  'GET /api/shipping/agents/{id}/metrics': AGENT_OR_STAFF,
  'GET /api/shipping/agents/leaderboard': STAFF,
  'GET /api/shipping/assignments': AGENT_OR_STAFF,
  'POST /api/shipping/assignments': STAFF,
  'GET /api/shipping/assignments/{id}': AGENT_OR_STAFF,
  'POST /api/shipping/assignments/{id}/accept': AGENT,
  'POST /api/shipping/assignments/{id}/reject': AGENT,
  'POST /api/shipping/assignments/{id}/pickup': AGENT,
  'POST /api/shipping/assignments/{id}/deliver': AGENT,
  'POST /api/shipping/assignments/{id}/fail': AGENT,
  'POST /api/shipping/assignments/{id}/cancel': STAFF,

  'GET /api/admin/jobs/dead': ADMIN,
  'POST /api/admin/jobs/dead/{id}/replay': ADMIN,

  'GET /health/live': 'anybody',
  'GET /health/ready': 'anybody',
  'GET /health/startup': 'anybody',
  'GET /health/db': 'anybody',
  'GET /health/pool': 'anybody',
  'GET /metrics': 'anybody',
};
