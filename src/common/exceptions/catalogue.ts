/** An entry of the catalogue: what a client gets, and what a person should do next. docs/errors.md is made from it. */
interface ErrorEntry {
  status: number;
  message: string;
  /** A rule of the business (H3): answered as 'Business Rule Violation'. */
  rule?: true;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
}

const entries = {
  // Requests
  VALIDATION_FAILED: { status: 400, message: 'The request is not valid. See details for each field.' },
  INVALID_JSON: {
    status: 400,
    message: 'The body is not valid JSON. Send a JSON object with Content-Type: application/json.',
  },
  INVALID_CURSOR: { status: 400, message: 'The cursor does not belong to this list. Start again without a cursor.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Send the body as application/json.' },
  MALFORMED_REQUEST: { status: 400, message: 'This is no HTTP request that Larder can read. Check the client.' },
  REQUEST_INCOMPLETE: { status: 408, message: 'The request did not arrive in time. Send it again, faster.' },
  ADDRESS_TOO_LONG: { status: 414, message: 'A part of the address is too long. Check the id.' },
  HEADERS_TOO_LARGE: { status: 431, message: 'Address and headers are too long. Send shorter ones.' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The body is too large. Send less in one request.' },
  ROUTE_NOT_FOUND: { status: 404, message: 'There is no such route. See /docs.' },
  NOT_FOUND: { status: 404, message: 'Not found. Check the id.' },
  CONFLICT: { status: 409, message: 'Something with this name or number exists already. Choose another.' },
  INVALID_REFERENCE: { status: 400, message: 'The request refers to something that does not exist. Check the ids.' },
  VALUE_OUT_OF_RANGE: { status: 400, message: 'A value is outside of the allowed range.' },
  BUSINESS_RULE_VIOLATION: { status: 400, message: 'A rule of the shop forbids this.', rule: true },
  // Idempotency
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    message:
      'Send an Idempotency-Key header of 16 to 255 visible characters; repeat it when you retry the same request.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    message: 'A request with this Idempotency-Key is still running. Repeat it in a moment with the same key.',
    retryAfter: 1,
  },
  // Who asks
  UNAUTHENTICATED: { status: 401, message: 'Log in: send a valid access token as Authorization: Bearer <token>.' },
  INVALID_CREDENTIALS: { status: 401, message: 'E-mail or password is wrong.' },
  REFRESH_TOKEN_INVALID: { status: 401, message: 'The refresh token is not valid any more. Log in again.' },
  REFRESH_TOKEN_REUSED: {
    status: 401,
    message: 'This refresh token was used before. All sessions of this login were ended; log in again.',
  },
  FORBIDDEN: { status: 403, message: 'Your role does not allow this.' },
  EMAIL_TAKEN: { status: 409, message: 'An account with this e-mail exists already. Log in instead.' },
  STORE_NOT_FOUND: { status: 404, message: 'There is no such store. Check the X-Store header.' },
  // Catalog and stock
  PRODUCT_UNAVAILABLE: {
    status: 409,
    message: 'Some products are not on sale any more. Remove the lines named in details.',
  },
  INSUFFICIENT_STOCK: { status: 409, message: 'There is not enough in stock for the lines named in details.' },
  STOCK_BELOW_RESERVED: { status: 409, message: 'The stock would fall below what orders have reserved.' },
  CATEGORY_IN_USE: { status: 409, message: 'Products are in this category. Move them to another first.' },
  CURRENCY_MISMATCH: { status: 400, message: "Amounts must be in the store's currency." },
  // Orders and payments
  ZIP_NOT_SERVED: { status: 422, message: 'The shop does not deliver to this zip code.' },
  ORDER_TOTAL_TOO_LARGE: { status: 422, message: 'The total of the order is too large. Split the order.' },
  PAYMENT_METHOD_NOT_SUPPORTED: {
    status: 422,
    message: 'This store does not take this payment method yet. Use COD or WALLET.',
  },
  SLOT_INVALID: { status: 422, message: 'This is no delivery window for the address. Choose one of GET /api/slots.' },
  SLOT_CLOSED: { status: 409, message: 'This delivery window takes no more orders. Choose a later one.' },
  SLOT_FULL: { status: 409, message: 'This delivery window is full. Choose another one.' },
  SLOT_BELOW_BOOKED: {
    status: 409,
    message: 'More orders have booked this window than that. Choose a larger capacity.',
  },
  ZONE_IN_USE: { status: 409, message: 'This zone has delivery windows. Close them instead.' },
  COUPON_LIMIT_BELOW_USED: { status: 409, message: 'More orders use this coupon than that. Choose a larger limit.' },
  COUPON_INVALID: { status: 422, message: 'This coupon is not valid. Check the code, or order without it.' },
  COUPON_MINIMUM_NOT_MET: { status: 422, message: 'The goods are worth less than the coupon asks for. See details.' },
  COUPON_USED_UP: { status: 409, message: 'This coupon has been used as often as it can be.' },
  COUPON_USED_BY_CUSTOMER: { status: 409, message: 'You have used this coupon as often as you can.' },
  COUPON_ATTEMPTS_EXCEEDED: {
    status: 429,
    message: 'Too many codes that are none. Order without a coupon, or try again in an hour.',
    retryAfter: 3600,
  },
  CART_EMPTY: { status: 409, message: 'There is nothing in the cart. Put something in first.' },
  CART_CLOSED: { status: 409, message: 'This cart was ordered already or merged into another. Open a new one.' },
  CART_FULL: {
    status: 409,
    message: 'There are 1,000 different products in the cart, and no more can be. Order these first.',
  },
  QUOTE_INVALID: { status: 400, message: 'This is no quote of this cart. Ask for a new one.' },
  QUOTE_EXPIRED: { status: 409, message: 'This quote has expired. Ask for a new one.' },
  QUOTE_CHANGED: { status: 409, message: 'The total is another one now: see details. Ask for a new quote.' },
  ORDER_INVALID_TRANSITION: { status: 400, message: 'The order can not take this step from its status.', rule: true },
  ORDER_CANNOT_CANCEL_AFTER_SHIPPING: {
    status: 400,
    message: 'The order is on its way and can not be cancelled any more. Refuse it at the door or return it.',
    rule: true,
  },
  ORDER_STATUS_CONFLICT: {
    status: 409,
    message: 'Order status was updated by another request. Please refresh and try again',
  },
  ORDER_HAS_ACTIVE_ASSIGNMENT: {
    status: 409,
    message: 'An agent is on this order: it is his to deliver, or to report as failed. Or cancel the assignment first.',
  },
  // Refunds and approvals
  REFUND_EXCEEDS_CAPTURE: {
    status: 409,
    message: 'This is more than what is left of the payment. See details for what is left.',
  },
  REFUND_EXCEEDS_LINES: {
    status: 409,
    message: 'These are more pieces than the order still has. See details for each variant.',
  },
  REFUND_AMBIGUOUS: {
    status: 400,
    message: 'Name an amount or lines, not both, and each variant once.',
    rule: true,
  },
  NOTHING_TO_REFUND: { status: 409, message: 'There is no money to give back for this.' },
  REFUND_GOODS_NOT_SHIPPED: {
    status: 409,
    message: 'The goods have not left the shop: nothing can come back. Refund with goods KEEP, or cancel the order.',
  },
  REFUND_DESTINATION_NOT_ALLOWED: {
    status: 422,
    message: 'A guest has no wallet. Refund to ORIGINAL, the way it was paid.',
  },
  REFUND_PAID_ELSEWHERE: {
    status: 422,
    message: 'This card was charged before the order was imported: nobody can give money back to it. Refund to WALLET.',
  },
  APPROVAL_OWN_REQUEST: { status: 403, message: 'This is your own request: somebody else has to decide on it.' },
  APPROVAL_DECIDED: { status: 409, message: 'This has been decided already, or you have decided otherwise before.' },
  // Cards
  PAYMENT_DECLINED: {
    status: 402,
    message: 'The card was not charged: see details for the reason. Try another card.',
  },
  PAYMENT_SOURCE_INVALID: {
    status: 422,
    message: 'This is no card that the shop can charge. Send what the payment form of its provider gave you.',
  },
  PAYMENT_CLOSED: {
    status: 409,
    message: 'This payment does not wait for a card any more. This request charged nothing.',
  },
  PAYMENT_IN_PROGRESS: {
    status: 409,
    message: 'The card is being asked already. Look again in a moment.',
    retryAfter: 2,
  },
  PAYMENT_ATTEMPTS_EXCEEDED: { status: 409, message: 'Too many cards were tried for this order. Place a new one.' },
  PAYMENT_INVALID_TRANSITION: {
    status: 400,
    message: 'The payment can not take this step from its status.',
    rule: true,
  },
  PAYMENT_CAPTURE_FAILED: {
    status: 409,
    message: 'The provider did not hand the money over: see details for the reason.',
  },
  WEBHOOK_INVALID: { status: 400, message: 'This was not signed by the provider that it names.' },
  WEBHOOK_TOO_OLD: { status: 400, message: 'This was signed too long ago. Send it again with a new signature.' },
  // Wallets
  INSUFFICIENT_FUNDS: { status: 409, message: 'There is not enough money in the wallet.' },
  SAME_WALLET: { status: 400, message: 'Choose two different wallets.', rule: true },
  WALLET_KIND_NOT_ALLOWED: { status: 400, message: 'This kind of wallet does not take this movement.', rule: true },
  // Shipping
  ASSIGNMENT_CONFLICT: { status: 409, message: 'This assignment is being processed by another request' },
  ASSIGNMENT_TAKEN: { status: 409, message: 'This assignment is not open any more.' },
  ASSIGNMENT_EXPIRED: { status: 409, message: 'This offer has expired. Wait for the next one.' },
  ASSIGNMENT_ACTIVE: { status: 409, message: 'The order has an active assignment already.' },
  ASSIGNMENT_INVALID_TRANSITION: {
    status: 400,
    message: 'The assignment can not take this step from its status.',
    rule: true,
  },
  ORDER_NOT_SHIPPABLE: {
    status: 400,
    message: 'Only confirmed, prepared or failed deliveries can be offered.',
    rule: true,
  },
  AGENT_NOT_ELIGIBLE: {
    status: 403,
    message: 'You can not take this: be online, serve its zip code and stay under your float limit.',
  },
  FLOAT_LIMIT_REACHED: { status: 403, message: 'You hold too much cash. Hand it in first.' },
  PROOF_REQUIRED: { status: 400, message: 'The delivery needs a proof: see details for which.', rule: true },
  PROOF_INVALID: {
    status: 400,
    message: 'The delivery code is wrong. Ask the customer for the six digits.',
    rule: true,
  },
  PROOF_LOCKED: {
    status: 403,
    message:
      'The delivery code was tried too often. Call the shop: staff can cancel the assignment and close the order.',
  },
  CASH_MISMATCH: {
    status: 400,
    message:
      'This is not the amount due: see details. For a part of it say why (shortReason); for too much give change.',
    rule: true,
  },
  REMITTANCE_EXCEEDS_CASH: { status: 409, message: 'The agent does not hold that much cash.' },
  SHIFT_NOT_OPEN: { status: 409, message: 'The agent has no open shift and holds no cash: there is nothing to count.' },
  SETTLEMENT_EXCEEDS_DUE: { status: 409, message: 'This is more than what is still owed for the order: see details.' },
  RANGE_INVALID: { status: 400, message: 'from must not be after to, and no more than 366 days before it.' },
  // Load and faults
  RESOURCE_LOCKED: { status: 409, message: 'Someone else is changing this right now. Try again.', retryAfter: 1 },
  TRANSACTION_CONFLICT: { status: 409, message: 'Too many requests changed this at once. Try again.', retryAfter: 1 },
  DATABASE_BUSY: { status: 503, message: 'Larder is busy. Try again in a moment.', retryAfter: 1 },
  DATABASE_UNAVAILABLE: {
    status: 503,
    message: 'Larder can not reach its database. Try again in a moment.',
    retryAfter: 5,
  },
  STATEMENT_TIMEOUT: {
    status: 503,
    message: 'This took too long and was stopped; nothing was changed. Try again.',
    retryAfter: 2,
  },
  REQUEST_TIMEOUT: {
    status: 503,
    message: 'This took too long. Try again; writes are safe to repeat with the same Idempotency-Key.',
    retryAfter: 2,
  },
  CACHE_LOAD_TIMEOUT: {
    status: 503,
    message: 'Reading this took too long. It is still being read: try again in a moment.',
    retryAfter: 2,
  },
  FIGURES_NOT_READY: {
    status: 503,
    message:
      'This took too long to add up: past days are still being added up in the background, or the database is busy. Ask again in half a minute, or for fewer days.',
    retryAfter: 30,
  },
  NOT_READY: { status: 503, message: 'Not ready yet.', retryAfter: 1 },
  INTERNAL_ERROR: {
    status: 500,
    message: 'Something went wrong on our side. It has been logged; tell support the requestId.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof entries;
export const catalogue: Readonly<Record<ErrorCode, ErrorEntry>> = entries;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(entries, code);
}
