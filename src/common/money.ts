/** Amounts are integers in the currency's minor unit (cents); |amount| < 2^53, so that JSON carries them exactly. */
export interface Money {
  amount: number;
  currency: string;
}

/** @throws RangeError when the amount can't be told exactly in JSON. */
export function money(amount: bigint | number, currency: string): Money {
  const value = Number(amount);
  if (!Number.isSafeInteger(value)) throw new RangeError('An amount is outside of what JSON carries exactly');
  return { amount: value, currency };
}

/**
 * Splits an amount over shares by largest remainder: the parts add up to the amount to the last cent, and each is within
 * one minor unit of its exact share. Ties go to the earlier share.
 * @param weights non-negative integers, at least one of them positive
 */
export function splitByLargestRemainder(amount: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (total <= 0n) throw new RangeError('Shares need a positive weight');
  const exact = weights.map((weight) => BigInt(Math.abs(amount)) * BigInt(weight));
  const parts = exact.map((share) => share / total);
  const missing = Number(BigInt(Math.abs(amount)) - parts.reduce((sum, part) => sum + part, 0n));
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder.slice(0, missing)) parts[index] = (parts[index] ?? 0n) + 1n;
  return parts.map((part) => Number(part) * Math.sign(amount) + 0);
}
