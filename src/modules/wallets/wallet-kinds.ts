/** What a wallet is for. An entry > 0 raises what the store owes its owner; see docs/ledger.md for who posts what. */
export const WALLET_KINDS = [
  'CUSTOMER',
  'AGENT_EARNINGS',
  'AGENT_CASH',
  'SALES',
  'DELIVERY_FEES',
  'TAXES',
  'PROMOTIONS',
  'PSP_CLEARING',
  'CASH_VAULT',
  'CASH_SHORT_OVER',
  'PAYOUTS_PENDING',
  'RECEIVABLES',
] as const;

export type WalletKind = (typeof WALLET_KINDS)[number];
