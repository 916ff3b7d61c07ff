import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

interface News {
  id: number;
  type: string;
  payload: object;
}

/** One notification for each person and event, however often the event comes. */
export function notifyUsers(userIds: readonly string[], { id, type, payload }: News): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO notifications (store_id, id, user_id, event_id, type, payload)
    SELECT u.store_id, uuid_v7(), u.id, ${id}::bigint, ${type}, ${JSON.stringify(payload)}::json
      FROM users u
     WHERE u.store_id = ${currentStore()}::uuid
       AND u.id = ANY (${userIds}::uuid[])
    ON CONFLICT (store_id, user_id, event_id) DO NOTHING`;
}

/** The same for everybody who decides on requests, but for who asked. */
export function notifyApprovers(exceptUserId: string, { id, type, payload }: News): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO notifications (store_id, id, user_id, event_id, type, payload)
    SELECT u.store_id, uuid_v7(), u.id, ${id}::bigint, ${type}, ${JSON.stringify(payload)}::json
      FROM users u
     WHERE u.store_id = ${currentStore()}::uuid
       AND u.roles && ARRAY['MANAGER', 'ADMIN']
       AND u.disabled_at IS NULL
       AND u.id <> ${exceptUserId}::uuid
    ON CONFLICT (store_id, user_id, event_id) DO NOTHING`;
}

/** The same for them and for the member of staff who asked for what has failed. */
export function notifyStaff(requestedBy: string | null, { id, type, payload }: News): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO notifications (store_id, id, user_id, event_id, type, payload)
    SELECT u.store_id, uuid_v7(), u.id, ${id}::bigint, ${type}, ${JSON.stringify(payload)}::json
      FROM users u
     WHERE u.store_id = ${currentStore()}::uuid
       AND (u.roles && ARRAY['MANAGER', 'ADMIN'] OR (u.id = ${requestedBy}::uuid AND 'SUPPORT' = ANY (u.roles)))
       AND u.disabled_at IS NULL
    ON CONFLICT (store_id, user_id, event_id) DO NOTHING`;
}
