/**
 * Stands in for a Larder process, which a test can kill: `node embedded-larder.mjs <dataDir>` starts the database, prints
 * one line of JSON ({url} or {error, message}) and stops the database at SIGTERM. At SIGINT it goes on, as one that drains.
 */
import { registerHooks } from 'node:module';

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

const {
  EMBEDDED_MODULE: moduleUrl = new URL('../../src/platform/embedded/embedded-postgres.ts', import.meta.url).href,
} = process.env;
const { startEmbeddedPostgres } = await import(moduleUrl);
const logged = [];
try {
  const database = await startEmbeddedPostgres({ dataDir: process.argv[2], onLog: (line) => logged.push(line) });
  process.on('SIGTERM', () => database.stop().then(() => process.exit(0)));
  process.on('SIGINT', () => undefined);
  console.log(JSON.stringify({ url: database.url, logged }));
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message, logged }));
}
