-- Deletes all data: make a back-up first.
DROP TABLE
  wallet_checkpoints, ledger_entries, ledger_transactions, wallets,
  remittances, assignment_rejections, shipping_assignments, delivery_agents,
  outbox_events, idempotency_keys,
  refunds, payments,
  order_history, order_lines, orders,
  stock_movements, stock_levels,
  variants, products, categories,
  refresh_tokens, users, stores;
