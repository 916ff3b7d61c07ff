const waiting = new WeakMap<object, (() => void)[]>();

/** Runs this when the transaction has been committed, never when it hasn't. It must not throw. */
export function afterCommit(transaction: object, run: () => void): void {
  const known = waiting.get(transaction);
  if (known) known.push(run);
  else waiting.set(transaction, [run]);
}

/** For Database, which alone knows when. */
export function runAfterCommit(transaction: object): void {
  for (const run of waiting.get(transaction) ?? []) run();
}
