import fc from 'fast-check';
import { money, splitByLargestRemainder } from './money.js';

const amounts = fc.maxSafeInteger();
const weights = fc
  .array(fc.oneof(fc.constant(0), fc.nat({ max: 10 }), fc.maxSafeNat()), { minLength: 1, maxLength: 40 })
  .filter((list) => list.some((weight) => weight > 0));

describe('an amount split over shares', () => {
  it('adds up to the amount, to the last cent', () => {
    fc.assert(
      fc.property(amounts, weights, (amount, shares) => {
        const parts = splitByLargestRemainder(amount, shares);
        expect(parts).toHaveLength(shares.length);
        expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(BigInt(amount));
      }),
    );
  });

  it('gives each share less than one unit more or less than its exact part', () => {
    fc.assert(
      fc.property(amounts, weights, (amount, shares) => {
        const total = shares.reduce((sum, weight) => sum + BigInt(weight), 0n);
        splitByLargestRemainder(amount, shares).forEach((part, index) => {
          const off = BigInt(part) * total - BigInt(amount) * BigInt(shares[index]!);
          expect(off < total && off > -total).toBe(true);
        });
      }),
    );
  });

  it('gives nothing to a share of no weight, and never the opposite sign', () => {
    fc.assert(
      fc.property(amounts, weights, (amount, shares) => {
        splitByLargestRemainder(amount, shares).forEach((part, index) => {
          expect(Number.isSafeInteger(part) && !Object.is(part, -0)).toBe(true);
          if (part !== 0) expect([Math.sign(part), shares[index]! > 0]).toEqual([Math.sign(amount), true]);
        });
      }),
    );
  });

  it('leaves no share behind one with a smaller remainder, and of equal ones none behind a later one', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), weights, (amount, shares) => {
        const total = shares.reduce((sum, weight) => sum + BigInt(weight), 0n);
        const ranked = splitByLargestRemainder(amount, shares)
          .map((part, index) => {
            const exact = BigInt(amount) * BigInt(shares[index]!);
            return { index, remainder: exact % total, extra: BigInt(part) - exact / total };
          })
          .sort((a, b) => Number(b.remainder > a.remainder) - Number(a.remainder > b.remainder) || a.index - b.index);
        const extras = ranked.map(({ extra }) => Number(extra));
        expect(extras).toEqual([...extras].sort((a, b) => b - a));
      }),
    );
  });

  it.each([
    ['ties go to the earlier share', 100, [1, 1, 1], [34, 33, 33]],
    ['two units over three equal shares', 101, [1, 1, 1], [34, 34, 33]],
    ['a larger remainder comes before an earlier share', 10, [10, 19], [3, 7]],
    ['one cent over many', 1, [5, 5, 5, 5], [1, 0, 0, 0]],
    ['a share of nothing gets nothing, though it is first', 1, [0, 1, 1], [0, 1, 0]],
    ['a refund is the same with the other sign', -100, [1, 1, 1], [-34, -33, -33]],
    ['nothing to split', 0, [1, 2], [0, 0]],
    [
      'amounts and weights as large as they come',
      Number.MAX_SAFE_INTEGER,
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      [2 ** 52, 2 ** 52 - 1],
    ],
  ])('%s', (_rule, amount, shares, parts) => {
    expect(splitByLargestRemainder(amount, shares)).toEqual(parts);
  });

  it.each([
    ['without shares', 1, []],
    ['when no share weighs anything', 1, [0, 0]],
    ['with half a cent', 0.5, [1]],
    ['with half a weight', 1, [0.5, 0.5]],
  ])('is refused %s', (_why, amount, shares) => {
    expect(() => splitByLargestRemainder(amount, shares)).toThrow(RangeError);
  });
});

describe('an amount of money', () => {
  it.each([0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'can be %p, as a number or a bigint',
    (amount) => {
      expect(money(amount, 'USD')).toEqual({ amount, currency: 'USD' });
      expect(money(BigInt(amount), 'USD')).toEqual({ amount, currency: 'USD' });
    },
  );

  it.each([2 ** 53, -(2 ** 53), 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, 0.5, NaN, Infinity])(
    'is never %p, which JSON does not carry exactly',
    (amount) => {
      expect(() => money(amount, 'USD')).toThrow(RangeError);
    },
  );

  it('is not told when it is refused', () => {
    expect(() => money(9_007_199_254_740_993n, 'USD')).toThrow(/^(?!.*90071992547409).*$/);
  });
});
