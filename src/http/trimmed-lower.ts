import type { TransformFnParams } from 'class-transformer';

/** For an e-mail: blanks around it and capitals in it make no other address. */
export function trimmedLower({ value }: TransformFnParams): unknown {
  return typeof value === 'string' ? value.trim().toLowerCase() : value;
}
