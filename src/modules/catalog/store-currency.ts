import { failure } from '../../common/exceptions/failure.js';
import { currentStore } from '../../common/request-context.js';
import type { PriceDto } from '../../http/money.dto.js';
import type { Database } from '../../platform/prisma/database.js';

/** A store has one currency for its life: wallets and ledger are kept in it. @throws CURRENCY_MISMATCH */
export async function requireStoreCurrency(database: Database, prices: readonly PriceDto[]): Promise<void> {
  const { currency } = await database.prisma.store.findUniqueOrThrow({
    where: { id: currentStore() },
    select: { currency: true },
  });
  if (prices.some((price) => price.currency !== currency)) throw failure('CURRENCY_MISMATCH', [{ expected: currency }]);
}
