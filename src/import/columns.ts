import { ImportFailure } from './import-failure.js';

/** Which field of a record a column is. */
export type Columns = ReadonlyMap<string, number>;

/**
 * The columns that a header names, in any order, in capitals or not.
 * @throws ImportFailure for one that is missing, unknown or there twice: before anything is written
 */
export function columnsOf(
  path: string,
  header: readonly string[],
  wanted: readonly string[],
  optional: readonly string[],
): Columns {
  const names = header.map((name) => name.toLowerCase());
  const known = [...wanted, ...optional];
  const problems = [
    told(
      'missing',
      wanted.filter((name) => !names.includes(name)),
    ),
    told(
      'unknown',
      names.filter((name) => !known.includes(name)).map((name) => name || '(without a name)'),
    ),
    told(
      'there twice',
      names.filter((name, index) => names.indexOf(name) < index),
    ),
  ].filter(Boolean);
  if (problems.length > 0) {
    const hint = names.length === 1 && /[;\t|]/.test(names[0] ?? '') ? '\nColumns are parted by commas.' : '';
    throw new ImportFailure(
      `${path} has the wrong columns: ${problems.join('; ')}.${hint}\n` +
        `It needs ${wanted.join(', ')}, and may have ${optional.join(', ')}.`,
    );
  }
  return new Map(names.map((name, index) => [name, index]));
}

function told(what: string, names: string[]): string {
  const shown = [...new Set(names)].slice(0, 20).map((name) => name.slice(0, 60));
  return shown.length > 0 ? `${what}: ${shown.join(', ')}` : '';
}
