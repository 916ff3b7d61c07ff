import { DEMO_PASSWORD } from '../demo/demo-stores.js';

/** What a person at the terminal wants to know once Larder serves. */
export function banner(url: string, databaseUrlFile?: string): string {
  const lines = [
    `Larder is open: ${url}`,
    '',
    `  API docs   ${url}/docs  (OpenAPI: /docs-json)`,
    `  Health     ${url}/health/ready  (also /health/live, /health/db, /health/pool)`,
    `  Metrics    ${url}/metrics`,
    ...(databaseUrlFile ? [`  Database   psql "$(cat ${databaseUrlFile})"`] : []),
    '',
    `  Demo logins, password ${DEMO_PASSWORD}:`,
    '    store demo      customer1@larder.test … customer20@larder.test, agent1@larder.test … agent20@larder.test,',
    '                    support@larder.test, manager@larder.test, admin@larder.test',
    '    store demo-two  customer1@two.larder.test, agent1@two.larder.test, manager@two.larder.test  (X-Store: demo-two)',
    '',
    '  Try the story of an order: npm run demo',
    '  Stop with Ctrl-C.',
  ];
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n\n`;
}
