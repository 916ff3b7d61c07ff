import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';

export interface AgentRow {
  id: string;
  name: string;
  status: string;
  service_zip_codes: string[];
  /** What he holds for the store, positive. */
  cash: number;
  currency: string;
}

/** Agents by id, each with the cash he holds. */
export function agentRows({ id, after, limit }: { id?: string; after: string | null; limit: number }): Prisma.Sql {
  return Prisma.sql`
    SELECT d.id, d.name, d.status, d.service_zip_codes, -w.balance AS cash, s.currency
      FROM delivery_agents d
      JOIN stores s ON s.id = d.store_id
      JOIN wallets w ON w.store_id = d.store_id AND w.kind = 'AGENT_CASH' AND w.owner_id = d.id AND w.currency = s.currency
     WHERE d.store_id = ${currentStore()}::uuid
       ${id ? Prisma.sql`AND d.id = ${id}::uuid` : Prisma.empty}
       ${after ? Prisma.sql`AND d.id > ${after}::uuid` : Prisma.empty}
     ORDER BY d.id
     LIMIT ${limit}`;
}

export interface OfferableAgentRow {
  status: string;
  service_zip_codes: string[];
  /** Minor units: what he holds and will collect, and where it ends. */
  exposure: bigint;
  float_limit: bigint;
}

/** What decides whether an agent can be asked; see agent_exposure(). */
export function offerableAgent(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT d.status, d.service_zip_codes, agent_exposure(d.store_id, d.id, s.currency) AS exposure,
           s.agent_float_limit AS float_limit
      FROM delivery_agents d
      JOIN stores s ON s.id = d.store_id
     WHERE d.store_id = ${currentStore()}::uuid AND d.id = ${id}::uuid`;
}
