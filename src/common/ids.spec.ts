import fc from 'fast-check';
import { isId, newId } from './ids.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LAST_MS_OF_48_BITS = 2 ** 48 - 1;

describe('a new id', () => {
  it('has the form of a UUIDv7, and its version and variant', () => {
    for (let i = 0; i < 1000; i++) {
      const id = newId();
      expect(id).toMatch(UUID_V7);
      expect(isId(id)).toBe(true);
    }
  });

  it('begins with the time it was made at', () => {
    fc.assert(fc.property(fc.nat({ max: LAST_MS_OF_48_BITS }), (now) => timeOf(newId(now)) === now));
    const before = Date.now();
    const made = timeOf(newId());
    expect(made).toBeGreaterThanOrEqual(before);
    expect(made).toBeLessThanOrEqual(Date.now());
  });

  it('sorts after every id of an earlier millisecond', () => {
    const millisecond = fc.nat({ max: LAST_MS_OF_48_BITS });
    fc.assert(
      fc.property(millisecond, millisecond, (one, other) => {
        fc.pre(one !== other);
        expect(newId(one) < newId(other)).toBe(one < other);
      }),
    );
  });

  it('is unique among 100,000 of the same millisecond', () => {
    const ids = new Set(Array.from({ length: 100_000 }, () => newId(1_700_000_000_000)));
    expect(ids.size).toBe(100_000);
  });

  it('shares none of its random bits with the one before', () => {
    const tails = Array.from({ length: 1000 }, () => newId(0).slice(-12));
    expect(new Set(tails).size).toBe(1000);
  });
});

describe('the form of an id', () => {
  it.each([
    ['lower case', '018f2b6a-7c1d-7e2f-8a3b-4c5d6e7f8091', true],
    ['upper case', '018F2B6A-7C1D-7E2F-8A3B-4C5D6E7F8091', true],
    ['no hyphens', '018f2b6a7c1d7e2f8a3b4c5d6e7f8091', false],
    ['braces', '{018f2b6a-7c1d-7e2f-8a3b-4c5d6e7f8091}', false],
    ['a line break after it', '018f2b6a-7c1d-7e2f-8a3b-4c5d6e7f8091\n', false],
    ['a letter that is no digit', '018f2b6g-7c1d-7e2f-8a3b-4c5d6e7f8091', false],
    ['nothing', '', false],
  ])('with %s', (_form, text, expected) => {
    expect(isId(text)).toBe(expected);
  });
});

function timeOf(id: string): number {
  return parseInt(id.replace('-', '').slice(0, 12), 16);
}
