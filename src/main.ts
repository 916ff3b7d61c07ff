import { createApp } from './app.setup.js';
import { loadConfig } from './config/config.js';

const config = loadConfig();
const app = await createApp(config);
await app.listen(config.PORT, config.HOST);
