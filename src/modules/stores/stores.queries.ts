import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

/** Whether the store's database can reckon in a time zone. Reads all of them: for a change of settings, not for a request. */
export function zoneIsKnown(timezone: string): Prisma.Sql {
  return Prisma.sql`
    SELECT EXISTS (SELECT 1 FROM pg_timezone_names z WHERE z.name = ${timezone}::text) AS known
      FROM stores s
     WHERE s.id = ${currentStore()}::uuid`;
}
