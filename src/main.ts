import { ConfigurationError, type LarderConfig, loadConfig } from './config/config.js';

const config = readConfig();
// Loaded only now: a bad configuration is told at once, not after a second of loading.
const { LarderProcess } = await import('./lifecycle/larder-process.js');
await new LarderProcess(config).run();

function readConfig(): LarderConfig {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
