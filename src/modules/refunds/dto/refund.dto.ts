import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsPositive,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { MoneyDto, PositiveMoneyDto } from '../../../http/money.dto.js';
import { Omittable } from '../../../http/omittable.js';

export const GOODS = ['RESTOCK', 'SCRAP', 'KEEP'] as const;
export type Goods = (typeof GOODS)[number];

export const DESTINATIONS = ['ORIGINAL', 'WALLET'] as const;
export type Destination = (typeof DESTINATIONS)[number];

export const REFUND_STATUSES = ['REQUESTED', 'APPROVED', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

export class RefundLineDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsUUID()
  variantId: string;

  @IsInt()
  @IsPositive()
  @Max(100_000)
  quantity: number;

  /** RESTOCK: back on the shelf. SCRAP: came back and was thrown away. KEEP: stays with the customer. */
  @IsIn(GOODS)
  goods: Goods;
}

export class RefundDto {
  /** Without it and without lines: all that is left. */
  @Omittable()
  @IsObject()
  @ValidateNested()
  @Type(() => PositiveMoneyDto)
  amount?: PositiveMoneyDto;

  /** Pieces of the order, for what was paid for them: discounts taken off, tax included. */
  @Omittable()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RefundLineDto)
  lines?: RefundLineDto[];

  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason: string;

  /** ORIGINAL: the card, the wallet, or in cash at the counter, as it was paid. WALLET: the customer's. */
  @IsIn(DESTINATIONS)
  destination: Destination;
}

export class RefundLineResponse {
  lineNo: number;
  variantId: string;
  name: string;
  quantity: number;
  /** What is given back for these pieces. */
  amount: MoneyDto;
  /** How much of it is tax. */
  tax: MoneyDto;
  @ApiProperty({ enum: GOODS })
  goods: Goods;
}

export class RefundResponse {
  id: string;
  orderId: string;
  paymentId: string;
  amount: MoneyDto;
  @ApiProperty({ enum: DESTINATIONS })
  destination: Destination;
  @ApiProperty({ enum: REFUND_STATUSES })
  status: RefundStatus;
  reason: string;
  /** Empty where it was asked for by amount. */
  lines: RefundLineResponse[];
  /** The approval that it waits for or waited for. */
  approvalId: string | null;
  /** null where the order's end caused it. */
  requestedBy: string | null;
  createdAt: string;
  finishedAt: string | null;
}

export class RefundPageResponse {
  items: RefundResponse[];
  nextCursor: string | null;
}
