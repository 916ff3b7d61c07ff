import { ConfigurationError, type LarderConfig, loadConfig } from './config/config.js';
import { LarderProcess } from './lifecycle/larder-process.js';

function configuration(): LarderConfig {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

await new LarderProcess(configuration()).run();
