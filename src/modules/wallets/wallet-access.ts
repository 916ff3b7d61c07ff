import { failure } from '../../common/exceptions/failure.js';
import { type Actor, isStaff } from '../../http/actor.js';
import type { WalletRow } from './wallets.queries.js';

/** One's own, or any for staff; others don't exist. */
export function visibleTo<Row extends WalletRow>(actor: Actor, walletId: string, wallets: readonly Row[]): Row {
  const wallet = wallets.find(({ id }) => id === walletId);
  if (!wallet || (wallet.owner_id !== actor.id && !isStaff(actor))) throw failure('NOT_FOUND');
  return wallet;
}

/** SUPPORT sees every wallet, but spends from none but his own. */
export function spendableBy(actor: Actor, walletId: string, wallets: readonly WalletRow[]): WalletRow {
  const wallet = visibleTo(actor, walletId, wallets);
  const mayAct = wallet.owner_id === actor.id || actor.roles.some((role) => role === 'MANAGER' || role === 'ADMIN');
  if (!mayAct) throw failure('FORBIDDEN');
  return wallet;
}
