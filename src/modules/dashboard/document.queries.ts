import { Prisma } from '../../generated/prisma/client.js';

/** What every dashboard is: JSON as it is sent, in one row. */
export interface DocumentRow {
  document: string;
}

/** Statuses of an order that is sold: confirmed, and neither cancelled nor returned. */
export const SOLD = Prisma.sql`('CONFIRMED', 'PREPARING', 'SHIPPING', 'DELIVERED')`;

/** {count, of, rate}: the rate to four places, null of none. */
export function share(count: Prisma.Sql, of: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`json_build_object(
    'count', coalesce(${count}, 0), 'of', coalesce(${of}, 0), 'rate', round(${count}::numeric / nullif(${of}, 0), 4)
  )`;
}

/** An amount of minor units; nothing is 0. */
export function amount(value: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`money(coalesce(${value}, 0)::bigint, s.currency)`;
}
