/** Orders that came by the import; OFFSET 0 has it that where nothing was imported all orders aren't read for none. */
export const PAST_ORDERS = `(
  SELECT store_id, id, imported_at FROM orders WHERE imported_at IS NOT NULL AND EXISTS (SELECT 1 FROM imports) OFFSET 0
)`;

/** Whether the order of a row came by the import. Such orders are put into a hash table, not the millions of all others. */
export function ofThePast(row: string): string {
  return `EXISTS (SELECT 1 FROM ${PAST_ORDERS} past WHERE past.store_id = ${row}.store_id AND past.id = ${row}.order_id)`;
}
