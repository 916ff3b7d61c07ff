import { Prisma } from '../../generated/prisma/client.js';

/** Parts of statements that answer with JSON as it is sent. */

/** {count, of, rate}: the rate to four places, null of none. */
export function share(count: Prisma.Sql, of: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`json_build_object(
    'count', coalesce(${count}, 0), 'of', coalesce(${of}, 0), 'rate', round(${count}::numeric / nullif(${of}, 0), 4)
  )`;
}

/** An amount of minor units in the currency of the store `s`; nothing is 0. */
export function amount(value: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`money(coalesce(${value}, 0)::bigint, s.currency)`;
}
