import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { money } from '../../common/money.js';
import { decodeCursor, type Page, toPage, UUID_CURSOR } from '../../common/pagination.js';
import { currentStore } from '../../common/request-context.js';
import type { PageQuery } from '../../http/page.dto.js';
import {
  type Answer,
  type IdempotentRequest,
  IdempotencyService,
} from '../../platform/idempotency/idempotency.service.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { AuthService } from '../auth/auth.service.js';
import { hashPassword } from '../auth/passwords.js';
import { WalletsService } from '../wallets/wallets.service.js';
import { type AgentRow, agentRows, lockAgentCash } from './agents.queries.js';
import type { AgentResponse, CreateAgentDto, RemitDto, UpdateAgentDto } from './dto/agent.dto.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: Database,
    private readonly auth: AuthService,
    private readonly wallets: WalletsService,
    private readonly idempotency: IdempotencyService,
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
  async create({ email, password, name, serviceZipCodes = [] }: CreateAgentDto): Promise<AgentResponse> {
    const user = { email, name, roles: ['AGENT' as const], passwordHash: await hashPassword(password) };
    const { id } = await this.auth.createUser(user, async (tx, id) => {
      await tx.deliveryAgent.create({ data: { storeId: currentStore(), id, name, serviceZipCodes } });
    });
    return this.find(id);
  }

  /** @throws NOT_FOUND */
  async update(agentId: string, { status, serviceZipCodes }: UpdateAgentDto): Promise<AgentResponse> {
    const updated = await this.database.prisma.deliveryAgent.updateMany({
      where: { id: agentId },
      data: { status, serviceZipCodes },
    });
    if (updated.count === 0) throw failure('NOT_FOUND');
    return this.find(agentId);
  }

  /** A direct offer goes to an agent who could take it now. @throws INVALID_REFERENCE, AGENT_NOT_ELIGIBLE, FLOAT_LIMIT_REACHED */
  async requireOfferable(tx: Transaction, agentId: string, zip: string): Promise<void> {
    const [agent] = await tx.$queryRaw<AgentRow[]>(agentRows({ id: agentId, after: null, limit: 1 }));
    if (!agent) throw failure('INVALID_REFERENCE', [{ field: 'agentId' }]);
    if (agent.status !== 'ONLINE' || !agent.service_zip_codes.includes(zip)) throw failure('AGENT_NOT_ELIGIBLE');
    if (Number(agent.cash) >= Number(agent.float_limit)) throw failure('FLOAT_LIMIT_REACHED');
  }

  /** The agent hands cash in. Locks his cash wallet. @throws NOT_FOUND, CURRENCY_MISMATCH, REMITTANCE_EXCEEDS_CASH */
  async remit(agentId: string, actorId: string, { amount }: RemitDto, request: IdempotentRequest): Promise<Answer> {
    return this.idempotency.run(actorId, request, (tx) => this.remitWithin(tx, agentId, actorId, amount));
  }

  private async remitWithin(
    tx: Transaction,
    agentId: string,
    actorId: string,
    { amount, currency }: RemitDto['amount'],
  ) {
    const [held] = await tx.$queryRaw<{ cash: bigint; currency: string }[]>(lockAgentCash(agentId));
    if (!held) throw failure('NOT_FOUND');
    if (held.currency !== currency) throw failure('CURRENCY_MISMATCH');
    if (Number(held.cash) < amount) {
      throw failure('REMITTANCE_EXCEEDS_CASH', [{ cashInHand: money(held.cash, currency) }]);
    }
    const id = newId();
    await tx.remittance.create({ data: { storeId: currentStore(), id, agentId, amount, currency, actorId } });
    await this.wallets.post(tx, {
      type: 'REMITTANCE',
      reference: id,
      actorId,
      currency,
      entries: [
        { kind: 'AGENT_CASH', ownerId: agentId, amount },
        { kind: 'CASH_VAULT', ownerId: currentStore(), amount: -amount },
      ],
    });
    return { id, agentId, amount: money(amount, currency), cashInHand: money(Number(held.cash) - amount, currency) };
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
