import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Any file of src; only its place counts. */
const PLACE = join(ROOT, 'src/common/ids.ts');

/** What the compiler says of a log entry with this event. */
function compile(event: string): string[] {
  const text = `import type { LogEntry } from './interfaces/log-entry.interface.js';\nexport const entry: LogEntry = { event: '${event}' };`;
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const readFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version) =>
    name === PLACE ? ts.createSourceFile(name, text, version) : readFile(name, version);
  const program = ts.createProgram([PLACE], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** The project's rules, without the types that this one doesn't need: reading them takes seconds. */
const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: { languageOptions: { parserOptions: { project: null } } },
  ruleFilter: ({ ruleId }) => ruleId === 'no-restricted-syntax',
});

async function lint(event: string): Promise<string[]> {
  const results = await eslint.lintText(`export const entry = { event: '${event}' };\n`, { filePath: PLACE });
  return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

describe('The name of an event', () => {
  it.each(['shipping_assignment_accepted', 'order_status_update_retry', 'slow_query_detected', 'http_exception'])(
    'may be %s',
    async (event) => {
      expect(compile(event)).toEqual([]);
      expect(await lint(event)).toEqual([]);
    },
  );

  it.each(['orderPlaced', 'placed', 'order_placed_ok', 'weather_forecast_completed', 'order'])(
    'fails the type check when it is %s',
    (event) => expect(compile(event).join()).toContain('not assignable'),
  );

  it.each(['Order_Status_updated', 'order_status update_retry', 'order_status-update_retry'])(
    'fails the lint when it is %s',
    async (event) => expect((await lint(event)).join()).toContain('domain_action_status'),
  );
});
