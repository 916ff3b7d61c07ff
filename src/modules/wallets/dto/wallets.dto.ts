import { Transform, Type } from 'class-transformer';
import { IsIn, IsObject, IsOptional, IsUUID, ValidateNested } from 'class-validator';
import { MoneyDto, PositiveMoneyDto } from '../../../http/money.dto.js';
import { PageQuery } from '../../../http/page.dto.js';
import { WaitingWithdrawalResponse } from './withdrawals.dto.js';
import { WALLET_KINDS, type WalletKind } from '../wallet-kinds.js';

const lowerCase = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? value.toLowerCase() : value,
);

export class WalletsQuery extends PageQuery {
  @IsOptional()
  @IsIn(WALLET_KINDS)
  kind?: WalletKind;
}

/** Money in or out of one wallet. */
export class AmountDto {
  @IsObject()
  @ValidateNested()
  @Type(() => PositiveMoneyDto)
  amount: PositiveMoneyDto;
}

export class TransferDto extends AmountDto {
  /** The wallet that pays. */
  @lowerCase
  @IsUUID()
  from: string;

  /** The wallet that receives. */
  @lowerCase
  @IsUUID()
  to: string;
}

export class WalletResponse {
  id: string;
  kind: WalletKind;
  /** What the store owes the owner; below zero what he owes the store. */
  balance: MoneyDto;
}

export class ListedWalletResponse extends WalletResponse {
  /** A user; for the store's own wallets the store. */
  ownerId: string;
}

export class WalletPage {
  items: ListedWalletResponse[];
  nextCursor: string | null;
}

export class LedgerEntryResponse {
  id: string;
  /** What kind of business fact moved the money: SALE, TOP_UP, TRANSFER, … */
  type: string;
  /** Which one: an order's id, a refund's id, … */
  reference: string;
  /** Above zero when the wallet gained. */
  amount: MoneyDto;
  createdAt: string;
  memo: string | null;
}

export class LedgerEntryPage {
  items: LedgerEntryResponse[];
  nextCursor: string | null;
}

export class KindTotalResponse {
  kind: WalletKind;
  /** How many wallets of this kind and currency there are. */
  wallets: number;
  balance: MoneyDto;
}

export class LedgerTotalsResponse {
  items: KindTotalResponse[];
  /** Over all kinds, for each currency: 0, or the ledger is broken. */
  total: MoneyDto[];
}

/** Money that was moved. */
export class MovementResponse {
  id: string;
  type: string;
  amount: MoneyDto;
  /** null where the money came from the store itself. */
  from: string | null;
  /** null where it went to the store itself. */
  to: string | null;
  createdAt: string;
  /** Of a withdrawal that waits for approval. */
  withdrawal?: WaitingWithdrawalResponse;
}
