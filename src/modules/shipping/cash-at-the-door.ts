import { failure } from '../../common/exceptions/failure.js';
import { type Money, money } from '../../common/money.js';
import type { DeliverDto } from './dto/assignment.dto.js';

export interface CashTaken {
  /** Minor units, all that the agent took. */
  collected: number;
  /** Of it, what is above the amount due. */
  above: number;
  /** Why it is less than the amount due; null when it isn't. */
  shortReason: string | null;
}

/**
 * What an agent says that he took, against what is due. Less is a part payment and needs a reason; nothing at all is no
 * delivery. More is taken up to a limit; for a paid parcel nothing is.
 * @param mostAbove minor units; 0 where there is no wallet to keep it in: the agent gives change
 * @throws CURRENCY_MISMATCH, CASH_MISMATCH
 */
export function countCash(
  { cashCollected, shortReason }: DeliverDto,
  { due, mostAbove }: { due: Money; mostAbove: number },
): CashTaken {
  const taken = cashCollected ?? money(0, due.currency);
  if (taken.currency !== due.currency) throw failure('CURRENCY_MISMATCH');
  const most = due.amount === 0 ? 0 : due.amount + mostAbove;
  const isShort = taken.amount < due.amount;
  if (taken.amount > most) throw failure('CASH_MISMATCH', [{ due, most: money(most, due.currency) }]);
  if (isShort && (!shortReason || taken.amount === 0)) throw failure('CASH_MISMATCH', [{ due }]);
  return {
    collected: taken.amount,
    above: Math.max(0, taken.amount - due.amount),
    shortReason: isShort ? (shortReason ?? null) : null,
  };
}
