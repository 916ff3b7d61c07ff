import type { Figures } from './load.ts';

export function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** The round of the middle speed. */
export function medianRound(rounds: Figures[]): Figures {
  const middle = median(rounds.map(({ perSecond }) => perSecond));
  const round = rounds.find(({ perSecond }) => perSecond === middle);
  if (!round) throw new Error('No round was measured');
  return round;
}

const HEADINGS = ['requests/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms/req', 'DB ms/req', 'SQL/req'];

export function headings(nameWidth: number): string {
  return `  ${''.padEnd(nameWidth)}${HEADINGS.map((heading) => heading.padStart(11)).join('')}`;
}

export function row(name: string, nameWidth: number, f: Figures): string {
  const cells = [
    f.perSecond.toFixed(0),
    f.p50,
    f.p95.toFixed(0),
    f.p99,
    f.cpuMsPerRequest.toFixed(3),
    f.backendMsPerRequest.toFixed(3),
    f.statementsPerRequest.toFixed(2),
  ];
  const known = cells.map((cell) => (String(cell) === 'NaN' ? '-' : String(cell)).padStart(11));
  return `  ${name.padEnd(nameWidth)}${known.join('')}`;
}
