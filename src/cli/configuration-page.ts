import { getMetadataStorage } from 'class-validator';
import { LarderConfig } from '../config/config.js';
import { type SettingNote, settingNotes } from '../config/setting.js';
import { table } from './markdown.js';

type Limits = Record<string, unknown[]>;

/** docs/configuration.md, from LarderConfig: its notes, defaults and validators. */
export function configurationPage(): string {
  const defaults = new LarderConfig() as unknown as Record<string, string | number | undefined>;
  const rows = [...settingNotes()].map(([key, note]) => [
    `\`${key}\``,
    defaultOf(defaults[key], note),
    note.unit ?? '',
    allowed(limitsOf(key)),
    note.about,
  ]);
  return `# Configuration

Larder reads its settings from the environment, once, before anything starts. A value that does not fit stops the start with
the name of the setting and what is expected of it, never with the value.

${table(['setting', 'default', 'unit', 'allowed', 'what it is for'], rows)}

Timeouts nest, longest outside: \`REQUEST_DEADLINE_MS\` > \`TRANSACTION_TIMEOUT_MS\` > \`STATEMENT_TIMEOUT_MS\` >
\`LOCK_TIMEOUT_MS\`, and \`POOL_ACQUIRE_TIMEOUT_MS\` is shorter than \`REQUEST_DEADLINE_MS\`; a start checks that they do.

With \`NODE_ENV=production\`, \`DATABASE_URL\` and a \`JWT_SECRET\` of your own are required, no demo data is created, logs are
JSON, and migrations are a step of the deployment (\`node dist/cli/migrate.js\`): until they are complete an instance is not ready.

\`LARDER_ADMIN_PASSWORD\` is read by \`node dist/cli/create-store.js\` alone, as the password of a new store's first
administrator; without it one is made up and printed.

This page is made by \`npm run docs\` from \`src/config/config.ts\`.
`;
}

function defaultOf(value: string | number | undefined, { secret }: SettingNote): string {
  if (value === undefined) return 'none';
  return secret ? 'only for development' : `\`${value}\``;
}

function limitsOf(key: string): Limits {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(LarderConfig, '', false, false);
  const own = metadata.filter(({ propertyName, name }) => propertyName === key && name !== undefined);
  return Object.fromEntries(own.map(({ name, constraints }) => [name ?? '', (constraints ?? []) as unknown[]]));
}

function allowed({ min, max, isIn, minLength, matches }: Limits): string {
  if (isIn) return (isIn[0] as string[]).map((choice) => `\`${choice}\``).join(', ');
  if (min && max) return `${String(min[0])} to ${String(max[0])}`;
  if (matches) return `\`${String(matches[0])}\``;
  return Number(minLength?.[0]) > 1 ? `${String(minLength?.[0])} characters or more` : '';
}
