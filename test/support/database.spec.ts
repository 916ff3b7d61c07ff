import { createTestDatabase, withClient } from './database.js';

describe('test databases', () => {
  it('are clones of one template, each on its own', async () => {
    const databases = await Promise.all(Array.from({ length: 8 }, createTestDatabase));
    const [first, second] = databases;
    await withClient(first!.url, (client) => client.query('CREATE TABLE only_here (id int)'));
    const found = await withClient(second!.url, (client) => client.query("SELECT to_regclass('only_here') AS found"));
    expect(found.rows).toEqual([{ found: null }]);
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('are dropped whoever is still connected', async () => {
    const database = await createTestDatabase();
    await withClient(database.url, async (client) => {
      client.on('error', () => undefined);
      await database.drop();
      await expect(client.query('SELECT 1')).rejects.toThrow();
    });
    await expect(withClient(database.url, () => Promise.resolve())).rejects.toThrow('does not exist');
  });
});
