export interface Row {
  name: string;
  /** NaN: not known. */
  cells: number[];
}

const NAME_WIDTH = 24;
const CELL_WIDTH = 10;

export function printTable(title: string, headings: string[], rows: Row[], digits = 1): void {
  const cell = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(digits)).padStart(CELL_WIDTH);
  console.log(`\n${title}`);
  console.log(`  ${''.padEnd(NAME_WIDTH)}${headings.map((heading) => heading.padStart(CELL_WIDTH)).join('')}`);
  for (const { name, cells } of rows) console.log(`  ${name.padEnd(NAME_WIDTH)}${cells.map(cell).join('')}`);
}

export const aimed = (ms: number, aim: number): string =>
  `${ms.toFixed(1)} ms (aim: ${aim} ms: ${ms <= aim ? 'met' : 'NOT met'})`;
