/** Statuses of an order that is sold: confirmed, and neither cancelled nor returned. */
export const SOLD: readonly string[] = ['CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED'];
