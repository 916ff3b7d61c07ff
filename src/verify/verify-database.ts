import type pg from 'pg';
import { checkClaim } from './check-claim.js';
import type { ClaimGroup, Finding } from './claim.js';
import { Snapshot, type SnapshotOptions } from './snapshot.js';

export interface VerifyOptions extends SnapshotOptions {
  /** Claims that are checked at the same time, each on a connection and a core of the database's. */
  connections: number;
  onFinding?: (finding: Finding, checked: number, all: number) => void;
}

interface Task {
  group: string;
  claim: ClaimGroup['claims'][number];
  position: number;
}

/**
 * Checks claims on a living database, all at one moment of it. Findings come in the order of the claims.
 * @throws what connecting and opening the snapshot throw; what a claim throws is in its finding
 */
export async function verifyDatabase(groups: readonly ClaimGroup[], options: VerifyOptions): Promise<Finding[]> {
  const tasks: Task[] = groups
    .flatMap(({ name, claims }) => claims.map((claim) => ({ group: name, claim })))
    .map((task, position) => ({ ...task, position }))
    // Begun last, a long one would leave the other connections with nothing to do.
    .sort((a, b) => (b.claim.seconds ?? 0) - (a.claim.seconds ?? 0));
  const findings: Finding[] = [];
  const all = tasks.length;
  let checked = 0;
  const snapshot = await Snapshot.open(options);
  try {
    const worker = async (): Promise<void> => {
      const client = await snapshot.connect();
      try {
        for (let task = tasks.shift(); task; task = tasks.shift()) {
          const finding = await find(client, task);
          findings[task.position] = finding;
          options.onFinding?.(finding, ++checked, all);
        }
      } finally {
        await client.end();
      }
    };
    await Promise.all(Array.from({ length: Math.min(options.connections, all) }, worker));
  } finally {
    await snapshot.close();
  }
  return findings;
}

async function find(client: pg.Client, { group, claim }: Task): Promise<Finding> {
  const started = performance.now();
  const finding = { group, claim: claim.name, rows: [] };
  const elapsed = (): number => Math.round(performance.now() - started);
  try {
    await client.query('SAVEPOINT claim');
    for (const node of claim.without ?? []) await client.query(`SET LOCAL enable_${node} = off`);
    const offenders = await checkClaim(client, claim);
    return { ...finding, ...offenders, ms: elapsed() };
  } catch (error) {
    return { ...finding, broken: null, ms: elapsed(), error: (error as Error).message };
  } finally {
    // Takes the settings back too. A broken connection fails the claims after this one; each says so.
    await client.query('ROLLBACK TO SAVEPOINT claim').catch(() => undefined);
  }
}
