import type { DatabaseError } from 'pg';

/** Data that a type or a constraint of the database refuses, as against a database that can't do it now. */
export function isRefusedData({ code }: DatabaseError): boolean {
  return /^2[23]/.test(code ?? '');
}

export function reasonOf({ constraint, message }: DatabaseError): string {
  return `refused by the database: ${constraint ?? message}`;
}
