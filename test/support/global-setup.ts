import { registerHooks } from 'node:module';

/**
 * Jest loads this file with Node's own loader, without moduleNameMapper, so that a relative import of `x.js` must be told
 * that it is `x.ts`. What is imported from here must do without decorators and other syntax that Node can't strip.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
      return nextResolve(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});

/**
 * One PostgreSQL for the whole run; each test file clones its own database from the template (createTestDatabase). Of Redis only
 * the program is seen to: a test that wants one starts its own (RedisServer).
 */
export default async function globalSetup(): Promise<void> {
  const { ensureRedisServer } = await import('./redis-binary.js');
  await ensureRedisServer();
  const { startTestServer } = await import('./postgres-server.js');
  await startTestServer();
}
