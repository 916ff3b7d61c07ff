import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { money } from '../../common/money.js';
import { type Actor, isStaff } from '../../http/actor.js';
import { Database } from '../../platform/prisma/database.js';
import { agentMetrics, type AgentMetricsRow, leaderboard } from './agent-metrics.queries.js';
import type {
  AgentMetricsResponse,
  DurationResponse,
  LeaderboardQuery,
  LeaderboardResponse,
  ShareResponse,
} from './dto/agent-metrics.dto.js';
import type { RangeQuery } from './dto/range.dto.js';
import { readRange, type TimeRange } from './time-range.js';

/** How well agents do, by docs/metrics.md: computed when asked, from times that are written once. */
@Injectable()
export class AgentMetricsService {
  constructor(private readonly database: Database) {}

  /** An agent sees his own. @throws NOT_FOUND, RANGE_INVALID */
  async find(agentId: string, query: RangeQuery, actor: Actor): Promise<AgentMetricsResponse> {
    const range = readRange(query);
    if (!isStaff(actor) && actor.id !== agentId) throw failure('NOT_FOUND');
    const [row] = await this.database.query<AgentMetricsRow>(agentMetrics(agentId, range));
    if (!row) throw failure('NOT_FOUND');
    return toMetrics(row, range);
  }

  /** @throws RANGE_INVALID */
  async leaderboard({ limit, ...query }: LeaderboardQuery): Promise<LeaderboardResponse> {
    const range = readRange(query);
    const rows = await this.database.query<AgentMetricsRow>(leaderboard(range, limit));
    return { items: rows.map((row) => toMetrics(row, range)) };
  }
}

function toMetrics(row: AgentMetricsRow, { from, to }: TimeRange): AgentMetricsResponse {
  const answers = row.accepted + row.rejected + row.expired;
  return {
    agentId: row.agent_id,
    name: row.name,
    from: from.toISOString(),
    to: to.toISOString(),
    offers: { accepted: row.accepted, rejected: row.rejected, expired: row.expired },
    acceptance: toShare(row.accepted, answers),
    timeToAccept: toDuration(row.accepted, row.to_accept),
    timeToPickUp: toDuration(row.picked_up, row.to_pick_up),
    timeToDeliver: toDuration(row.deliveries, row.to_deliver),
    deliveries: row.deliveries,
    failures: row.failures,
    onTime: toShare(row.on_time, row.deliveries),
    firstAttempt: toShare(row.first_successes, row.first_attempts),
    cashInHand: money(row.cash, row.currency),
  };
}

function toShare(count: number, of: number): ShareResponse {
  return { count, of, rate: of === 0 ? null : Math.round((count / of) * 10_000) / 10_000 };
}

function toDuration(count: number, percentiles: [number, number] | null): DurationResponse {
  const [p50, p95] = percentiles ?? [null, null];
  return { count, p50Seconds: seconds(p50), p95Seconds: seconds(p95) };
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}
