const waiting = new WeakMap<object, (() => void)[]>();

/**
 * Runs this when the transaction has been committed, or may have been: the way to the database broke at its end. Not when it was
 * rolled back. It must not throw.
 */
export function afterCommit(transaction: object, run: () => void): void {
  const known = waiting.get(transaction);
  if (known) known.push(run);
  else waiting.set(transaction, [run]);
}

/** For Database, which alone knows when. */
export function runAfterCommit(transaction: object): void {
  for (const run of waiting.get(transaction) ?? []) run();
}
