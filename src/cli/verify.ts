import { parseArgs } from 'node:util';
import type { ClaimGroup, Finding } from '../verify/claim.js';
import { CLAIMS } from '../verify/claims.js';
import { verifyDatabase } from '../verify/verify-database.js';
import { whichDatabase } from './which-database.js';

const USAGE = `Proves that a Larder's database is sound: stock, money, orders and deliveries agree with each other to the last
piece and cent. Reads one moment of it, while it is being used; locks nothing, changes nothing.

  npm run verify
  npm run verify -- --url postgresql://user:password@host:port/name

  --url          the database; else DATABASE_URL, else the embedded one that runs here
  --connections  claims checked at once, a core of the database's each (2)
  --timeout      seconds that one claim may take (600)
  --work-mem     MB that one sort or hash may take, of each connection (64)
  --only         groups, with commas between them: ${CLAIMS.map(({ name }) => name).join(', ')}
  --json         the findings as JSON on standard output

Ends with 0 when all claims hold, 1 when one is broken (its first offending rows are printed), 2 when it could not check.`;

const EXIT = { sound: 0, broken: 1, unchecked: 2 } as const;

interface Options {
  connectionString: string;
  connections: number;
  timeoutMs: number;
  workMemMb: number;
  groups: readonly ClaimGroup[];
  json: boolean;
}

function readOptions(): Options | undefined {
  const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      url: text(process.env.DATABASE_URL ?? ''),
      connections: text('2'),
      timeout: text('600'),
      'work-mem': text('64'),
      only: text(''),
      json: flag,
      help: { ...flag, short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    connectionString: whichDatabase(values.url),
    connections: wholeNumber('--connections', values.connections, 32),
    timeoutMs: wholeNumber('--timeout', values.timeout, 86_400) * 1000,
    workMemMb: wholeNumber('--work-mem', values['work-mem'], 4096),
    groups: groupsOf(values.only),
    json: values.json,
  };
}

function wholeNumber(name: string, given: string, max: number): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${name}: a whole number from 1 to ${max}`);
}

function groupsOf(only: string): readonly ClaimGroup[] {
  if (only === '') return CLAIMS;
  return only.split(',').map((name) => {
    const group = CLAIMS.find((candidate) => candidate.name === name.trim());
    if (!group) throw new Error(`--only: there is no group ${name.trim()}`);
    return group;
  });
}

function tell({ group, claim, broken, ms, error }: Finding, checked: number, all: number): void {
  const outcome = broken === null ? `NOT CHECKED: ${error}` : broken === 0 ? 'holds' : `BROKEN by ${broken}`;
  console.error(`${String(checked).padStart(3)}/${all}  ${String(ms).padStart(6)} ms  ${group}: ${claim}: ${outcome}`);
}

function tellBroken({ group, claim, broken, rows }: Finding): void {
  console.log(`\nBROKEN: ${group}: ${claim}`);
  console.log(
    `  ${broken} ${broken === 1 ? 'row breaks' : 'rows break'} it${rows.length === broken ? '' : ', the first'}:`,
  );
  for (const row of rows) console.log(`  ${JSON.stringify(row)}`);
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(USAGE);
    return EXIT.sound;
  }
  const started = performance.now();
  const findings = await verifyDatabase(options.groups, { ...options, onFinding: tell });
  const ms = Math.round(performance.now() - started);
  const broken = findings.filter((finding) => finding.broken !== null && finding.broken > 0);
  const unchecked = findings.filter((finding) => finding.broken === null);
  const verdict = broken.length > 0 ? 'broken' : unchecked.length > 0 ? 'unchecked' : 'sound';
  if (options.json) {
    console.log(JSON.stringify({ verdict, ms, findings }, null, 2));
  } else {
    broken.forEach(tellBroken);
    for (const { group, claim, error } of unchecked) console.log(`\nNOT CHECKED: ${group}: ${claim}\n  ${error}`);
    const held = findings.length - broken.length - unchecked.length;
    console.log(`\n${held} of ${findings.length} claims hold, in ${(ms / 1000).toFixed(1)} s: ${verdict}.`);
  }
  return EXIT[verdict];
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`Could not check: ${error.message || String(error)}`);
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) console.error(`\n${USAGE}`);
  return EXIT.unchecked;
});
