import { HttpException } from '@nestjs/common';
import { ORDER_STATUSES, ORDER_STEPS, type OrderStatus, stepFor, type StepRole } from './orders.states.js';

const STAFF = ['ADMIN', 'MANAGER', 'SUPPORT'];
const TERMINAL: OrderStatus[] = ['CANCELLED', 'RETURNED', 'EXPIRED'];

function codeOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return ((error as HttpException).getResponse() as { code: string }).code;
  }
}

const pairs = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => [from, to] as const));

describe('the table of order steps', () => {
  it('is that of DESIGN 3.1', () => {
    const allowed = Object.fromEntries(ORDER_STATUSES.map((from) => [from, Object.keys(ORDER_STEPS[from]).sort()]));
    expect(allowed).toEqual({
      PENDING: ['CANCELLED', 'CONFIRMED', 'EXPIRED'],
      CONFIRMED: ['CANCELLED', 'PREPARING', 'SHIPPING'],
      PREPARING: ['CANCELLED', 'SHIPPING'],
      SHIPPING: ['DELIVERED', 'RETURNED'],
      DELIVERED: ['RETURNED'],
      CANCELLED: [],
      RETURNED: [],
      EXPIRED: [],
    });
  });

  it('reaches every status from PENDING', () => {
    const reached = new Set<OrderStatus>(['PENDING']);
    for (const from of reached) for (const to of Object.keys(ORDER_STEPS[from])) reached.add(to as OrderStatus);
    expect([...reached].sort()).toEqual([...ORDER_STATUSES].sort());
  });

  it('has no way back: a status is never reached twice', () => {
    const visit = (status: OrderStatus, path: OrderStatus[]): void => {
      expect(path).not.toContain(status);
      for (const to of Object.keys(ORDER_STEPS[status])) visit(to as OrderStatus, [...path, status]);
    };
    visit('PENDING', []);
  });

  it.each(TERMINAL)('ends with %s', (status) => expect(ORDER_STEPS[status]).toEqual({}));

  it('frees or takes back stock exactly where goods are held for the order or have left for it', () => {
    for (const [from, to] of pairs) {
      const effects = ORDER_STEPS[from][to]?.effects;
      if (!effects) continue;
      const reserved = ['PENDING', 'CONFIRMED', 'PREPARING'].includes(from);
      expect([from, to, effects.includes('RELEASE_STOCK')]).toEqual([from, to, reserved && TERMINAL.includes(to)]);
      expect([from, to, effects.includes('SHIP_STOCK')]).toEqual([from, to, reserved && to === 'SHIPPING']);
      expect([from, to, effects.includes('RESTOCK')]).toEqual([from, to, to === 'RETURNED']);
      expect([from, to, effects.includes('REVERSE_PAYMENT')]).toEqual([from, to, TERMINAL.includes(to)]);
      expect([from, to, effects.includes('COLLECT_CASH')]).toEqual([from, to, to === 'DELIVERED']);
      expect([from, to, effects.includes('CAPTURE_PAYMENT')]).toEqual([from, to, to === 'SHIPPING']);
    }
  });

  it('lets customers do nothing but cancel', () => {
    for (const [from, to] of pairs) {
      const allowed = ORDER_STEPS[from][to]?.roles.includes('CUSTOMER') ?? false;
      expect([from, to, allowed]).toEqual([from, to, to === 'CANCELLED' && ORDER_STEPS[from][to] !== undefined]);
    }
  });

  it('lets agents do nothing but carry', () => {
    const carried = pairs.filter(([from, to]) => ORDER_STEPS[from][to]?.roles.includes('AGENT'));
    expect(carried).toEqual([
      ['CONFIRMED', 'SHIPPING'],
      ['PREPARING', 'SHIPPING'],
      ['SHIPPING', 'DELIVERED'],
    ]);
  });

  it('leaves confirming and expiring to the system, and all else to staff; orders whose money does not come to both', () => {
    for (const [from, to] of pairs) {
      const roles: string[] = [...(ORDER_STEPS[from][to]?.roles ?? [])];
      if (roles.length === 0) continue;
      const automatic = to === 'CONFIRMED' || to === 'EXPIRED';
      const givenUp = to === 'CANCELLED' && from !== 'PENDING';
      expect(roles.filter((role) => ['SYSTEM', ...STAFF].includes(role)).sort()).toEqual(
        automatic ? ['SYSTEM'] : [...STAFF, ...(givenUp ? ['SYSTEM'] : [])],
      );
    }
  });
});

describe('stepFor', () => {
  it.each(['SHIPPING', 'DELIVERED', 'RETURNED'] as const)('says that it is too late to cancel from %s', (from) => {
    expect(codeOf(() => stepFor(from, 'CANCELLED', ['ADMIN']))).toBe('ORDER_CANNOT_CANCEL_AFTER_SHIPPING');
  });

  it('refuses every other step that is not in the table, whoever asks, and tells those that are', () => {
    const everybody: StepRole[] = ['CUSTOMER', 'AGENT', 'SUPPORT', 'MANAGER', 'ADMIN', 'SYSTEM'];
    for (const [from, to] of pairs) {
      const code = codeOf(() => stepFor(from, to, everybody));
      const late = to === 'CANCELLED' && ['SHIPPING', 'DELIVERED', 'RETURNED'].includes(from);
      const expected = late ? 'ORDER_CANNOT_CANCEL_AFTER_SHIPPING' : 'ORDER_INVALID_TRANSITION';
      expect([from, to, code]).toEqual([from, to, ORDER_STEPS[from][to] ? undefined : expected]);
    }
    expect(() => stepFor('CONFIRMED', 'DELIVERED', ['ADMIN'])).toThrow(
      expect.objectContaining({
        details: [{ from: 'CONFIRMED', to: 'DELIVERED', allowed: ['PREPARING', 'SHIPPING', 'CANCELLED'] }],
      }),
    );
  });

  it('refuses a step of the table to a role that has no business with it', () => {
    expect(codeOf(() => stepFor('CONFIRMED', 'PREPARING', ['CUSTOMER']))).toBe('FORBIDDEN');
    expect(codeOf(() => stepFor('CONFIRMED', 'PREPARING', ['CUSTOMER', 'SUPPORT']))).toBeUndefined();
  });
});
