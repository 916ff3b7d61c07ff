import { PrismaClient } from '../../generated/prisma/client.js';
import { PrismaPg } from '@prisma/adapter-pg';
import { loggable, readDatabaseError } from './database-error.js';

describe('an error for the log', () => {
  it('tells what is wrong with a call of Prisma, but none of its arguments', async () => {
    const client = new PrismaClient({ adapter: new PrismaPg({ host: 'nowhere.invalid' }) });
    const wrong = { email: 'ada@larder.test', passwordHash: 'secret', bogus: 1 } as never;
    const error = (await client.user.create({ data: wrong }).catch((caught: unknown) => caught)) as Error;
    expect(error.message).toContain('ada@larder.test');
    const told = loggable(error);
    expect(told.error).toMatch(/^(Argument|Unknown argument) `\w+`/);
    expect(told.stack).toMatch(/database-error\.spec/);
    expect(JSON.stringify(told)).not.toMatch(/ada@|secret/);
  });

  it('is any other error as it is', () => {
    const error = new Error('out of tea');
    expect(loggable(error)).toEqual({ error: 'out of tea', stack: error.stack });
  });
});

describe('reading a database error', () => {
  it.each(['08006', '25006', '53100', '57P01', '57P05'])(
    'takes SQLSTATE %s for a database that is not there',
    (code) => {
      expect(readDatabaseError(Object.assign(new Error('no'), { code }))?.failure).toBe('UNREACHABLE');
    },
  );
});
