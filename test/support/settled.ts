import pg from 'pg';
import { type Settled, settleStore } from '../../src/import/settle-store.js';
import { until } from './background.js';

/**
 * A command leaves days to the job when somebody on the server, in whatever database, takes more than ten seconds to write: then
 * it is done here. Who says that he has done it is believed.
 */
export async function settledInTheEnd(url: string, storeId: string, settled: Settled | undefined): Promise<Settled> {
  if (!settled) throw new Error('The command has not settled anything');
  let last = settled;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await until(async () => {
      if (!last.done) last = await settleStore([client], storeId, () => false);
      return last.done;
    });
  } finally {
    await client.end();
  }
  return last;
}
