import { Answer } from '../../platform/cache/answer.js';
import type { Database } from '../../platform/prisma/database.js';

/** Planned anew each time: how many days have to be counted in the base tables decides, and a read is rare. */
export async function readDocument(database: Database, sql: Parameters<Database['query']>[0]): Promise<Answer<object>> {
  const [row] = await database.query<{ document: string }>(sql, 'anew');
  if (!row) throw new Error('A dashboard is one row');
  return Answer.ofJson<object>(row.document);
}
