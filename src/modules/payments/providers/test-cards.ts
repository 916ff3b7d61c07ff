/** The cards of the built-in test provider, by number, and the tokens that stand for them. docs/payments.md tells of them. */
const TEST_CARDS: Readonly<Record<string, string>> = {
  '4242424242424242': 'tok_visa',
  '4000000000000002': 'tok_declined',
  '4000000000009995': 'tok_insufficient_funds',
  '4000002500003155': 'tok_challenge',
  '4000000000000101': 'tok_answer_lost',
  '4000000000000202': 'tok_request_lost',
  '4000000000000303': 'tok_slow_bank',
  '4000000000000404': 'tok_capture_fails',
  '4000000000005126': 'tok_refund_fails',
};
const TOKENS = new Set(Object.values(TEST_CARDS));

/** The token of a test card, given by number or as its token; null for anything else, a real card's number above all. */
export function testCardToken(source: string): string | null {
  if (TOKENS.has(source)) return source;
  return TEST_CARDS[source.replaceAll(' ', '')] ?? null;
}
