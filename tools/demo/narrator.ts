import type { ErrorBody, Money } from './answers.ts';
import type { Answer } from './larder.ts';

/** Larder did something else than what the story tells. */
export class NotAsTold extends Error {}

/** Prints the story: numbered steps, and what happened in them. */
export class Narrator {
  private steps = 0;

  step(title: string): void {
    this.steps += 1;
    console.log(`\n${String(this.steps).padStart(2)}. ${title}`);
  }

  say(...lines: string[]): void {
    for (const line of lines) console.log(`    ${line}`);
  }

  /** What Larder refused, as a client is told. */
  sayRefusal({ status, body }: Answer<ErrorBody>): void {
    this.say(`→ ${status} ${body.code}: ${body.message}`);
  }

  /** Names on the left, amounts right-aligned. */
  sayAmounts(rows: [name: string, amount: Money, note?: string][]): void {
    const name = Math.max(...rows.map(([text]) => text.length));
    const amount = Math.max(...rows.map(([, money]) => told(money).length));
    for (const [text, money, note] of rows) {
      this.say(`${text.padEnd(name)}  ${told(money).padStart(amount)}${note ? `  ${note}` : ''}`);
    }
  }
}

/** 12.99 USD. */
export function told({ amount, currency }: Money): string {
  const digits = String(Math.abs(amount)).padStart(3, '0');
  return `${amount < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)} ${currency}`;
}

/** @throws NotAsTold unless it holds. */
export function check(holds: boolean, what: string, found?: unknown): asserts holds {
  if (holds) return;
  throw new NotAsTold(found === undefined ? what : `${what}, but found ${JSON.stringify(found)}`);
}

/** The body of an answer that has to have this status. */
export function expecting<Body>(status: number, what: string, answer: Answer<Body>): Body {
  check(answer.status === status, `${what}: expected ${status}`, { status: answer.status, body: answer.body });
  return answer.body;
}

/** A refusal that has to have this code. */
export function expectingRefusal(code: string, what: string, answer: Answer<unknown>): Answer<ErrorBody> {
  const refusal = answer as Answer<ErrorBody>;
  check(refusal.status >= 400 && refusal.body?.code === code, `${what}: expected ${code}`, {
    status: refusal.status,
    body: refusal.body,
  });
  return refusal;
}
