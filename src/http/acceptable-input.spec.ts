import { requireAcceptable } from './acceptable-input.js';

describe('acceptable input', () => {
  it('has room for an order of 1,000 lines', () => {
    const lines = Array.from({ length: 1000 }, () => ({ variantId: 'an id', quantity: 1 }));
    expect(() => requireAcceptable({ lines, paymentMethod: 'COD', note: 'ring twice' })).not.toThrow();
  });

  it('has an end, wherever its values lie', () => {
    const many = Array.from({ length: 5000 }, (_, index) => [`field${index}`, index]);
    expect(() => requireAcceptable(Object.fromEntries(many))).toThrow(/not valid/);
    expect(() => requireAcceptable({ lines: Array(100).fill(Array(100).fill({})) })).toThrow(/not valid/);
  });
});
