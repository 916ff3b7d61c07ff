/** Whether the order of a row came by the import. Such orders are put into a hash table, not the millions of all others. */
export function ofThePast(row: string): string {
  return `EXISTS (
    SELECT 1 FROM orders past WHERE past.imported_at IS NOT NULL AND past.store_id = ${row}.store_id AND past.id = ${row}.order_id
  )`;
}
