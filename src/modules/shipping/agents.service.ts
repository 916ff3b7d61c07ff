import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import type { PageQuery } from '../../http/page.dto.js';
import { CacheInvalidation } from '../../platform/cache/invalidation/cache-invalidation.js';
import { InvalidateCache } from '../../platform/cache/invalidation/invalidate-cache.decorator.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { AuthService } from '../auth/auth.service.js';
import { hashPassword } from '../auth/passwords.js';
import { type AgentRow, agentRows, offerableAgent, type OfferableAgentRow } from './agents.queries.js';
import type { AgentResponse, CreateAgentDto, UpdateAgentDto } from './dto/agent.dto.js';
import { HandInCash } from './hand-in-cash.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: Database,
    private readonly auth: AuthService,
    private readonly tills: HandInCash,
    readonly cacheInvalidation: CacheInvalidation,
  ) {}

  /** By id. */
  async page({ limit, cursor }: PageQuery): Promise<Page<AgentResponse>> {
    const after = decodeCursor('agents', cursor, UUID_CURSOR);
    const rows = await this.database.query<AgentRow>(agentRows({ after, limit: limit + 1 }));
    return toPage('agents', rows.map(toResponse), limit, (agent) => agent.id);
  }

  /** @throws NOT_FOUND */
  async find(agentId: string): Promise<AgentResponse> {
    const [row] = await this.database.query<AgentRow>(agentRows({ id: agentId, after: null, limit: 1 }));
    if (!row) throw failure('NOT_FOUND');
    return toResponse(row);
  }

  /** A user with the role AGENT, his wallets and his place among the agents. OFFLINE at first. @throws EMAIL_TAKEN */
  @InvalidateCache('shipping')
  async create({ email, password, name, serviceZipCodes = [] }: CreateAgentDto): Promise<AgentResponse> {
    const user = { email, name, roles: ['AGENT' as const], passwordHash: await hashPassword(password) };
    const { id } = await this.auth.createUser(user, async (tx, id) => {
      await tx.deliveryAgent.create({ data: { storeId: currentStore(), id, name, serviceZipCodes } });
    });
    return this.find(id);
  }

  /** Going ONLINE opens his shift. @throws NOT_FOUND */
  @InvalidateCache('shipping')
  async update(agentId: string, { status, serviceZipCodes }: UpdateAgentDto): Promise<AgentResponse> {
    await this.database.transaction(async (tx) => {
      const updated = await tx.deliveryAgent.updateMany({ where: { id: agentId }, data: { status, serviceZipCodes } });
      if (updated.count === 0) throw failure('NOT_FOUND');
      if (status === 'ONLINE') await this.tills.openTill(tx, agentId);
    });
    return this.find(agentId);
  }

  /**
   * A direct offer goes to an agent who could take it now. Taking it is what counts: see accept_assignment().
   * @throws INVALID_REFERENCE, AGENT_NOT_ELIGIBLE, FLOAT_LIMIT_REACHED
   */
  async requireOfferable(tx: Transaction, agentId: string, zip: string): Promise<void> {
    const [agent] = await tx.$queryRaw<OfferableAgentRow[]>(offerableAgent(agentId));
    if (!agent) throw failure('INVALID_REFERENCE', [{ field: 'agentId' }]);
    if (agent.status !== 'ONLINE' || !agent.service_zip_codes.includes(zip)) throw failure('AGENT_NOT_ELIGIBLE');
    if (agent.exposure >= agent.float_limit) throw failure('FLOAT_LIMIT_REACHED');
  }
}

function toResponse(row: AgentRow): AgentResponse {
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    serviceZipCodes: row.service_zip_codes,
    cashInHand: money(row.cash, row.currency),
  };
}
