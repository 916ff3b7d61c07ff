import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, IsIn, IsInt, IsNotEmpty, IsOptional, IsString, IsUUID, Max, MaxLength, Min } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { trimmedLower } from '../../../http/trimmed-lower.js';

export class CartLineDto {
  /** 0 takes the line out. */
  @IsInt()
  @Min(0)
  @Max(100_000)
  quantity: number;
}

export class QuoteCartDto {
  /** Where it is to be delivered to. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(20)
  zip?: string;

  /** A delivery window of GET /api/slots. */
  @IsOptional()
  @IsUUID()
  slotId?: string;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(40)
  couponCode?: string;

  @IsOptional()
  @IsIn(['COD', 'WALLET', 'CARD'])
  paymentMethod?: 'COD' | 'WALLET' | 'CARD';

  /** Of a guest: coupons with a limit per customer count by it. */
  @IsOptional()
  @Transform(trimmedLower)
  @IsEmail()
  @MaxLength(254)
  email?: string;
}

/** Why a cart as it is would not become an order: the code that POST /api/orders would answer, and what goes with it. */
export class CartProblemResponse {
  code: string;
  /** Of PRODUCT_UNAVAILABLE and INSUFFICIENT_STOCK. */
  variantId?: string;
  requested?: number;
  /** Pieces, or what is in the wallet. */
  @ApiProperty({ required: false, oneOf: [{ type: 'number' }, { $ref: getSchemaPath(MoneyDto) }] })
  available?: number | MoneyDto;
  required?: MoneyDto;
  minimum?: MoneyDto;
  zip?: string;
}

export class CartLineResponse {
  variantId: string;
  productId: string;
  sku: string;
  name: string;
  quantity: number;
  /** The catalog's, now. */
  unitPrice: MoneyDto;
  /** quantity × unitPrice */
  total: MoneyDto;
  /** Pieces that could be ordered now. */
  available: number;
}

export class CartResponse {
  id: string;
  /** Null for a guest's. */
  customerId: string | null;
  /** OPEN, ORDERED or MERGED */
  status: string;
  /** The order that it became. */
  orderId: string | null;
  /** The cart that took its lines. */
  mergedIntoId: string | null;
  lines: CartLineResponse[];
  /** Without delivery, discount and tax: POST /api/carts/{id}/quote has them. Null past 2^53. */
  subtotal: MoneyDto | null;
  problems: CartProblemResponse[];
  createdAt: string;
  updatedAt: string;
}

export class OpenedCartResponse extends CartResponse {
  /** A guest's, told this once: send it as X-Cart-Token. */
  token?: string;
}

export class QuoteLineResponse {
  variantId: string;
  sku: string;
  name: string;
  quantity: number;
  unitPrice: MoneyDto;
  /** quantity × unitPrice, before discount. */
  total: MoneyDto;
  discount: MoneyDto;
  tax: MoneyDto;
  /** Parts per million: 88750 is 8.875 %. */
  taxRatePpm: number;
}

export class QuoteSlotResponse {
  id: string;
  startsAt: string;
  endsAt: string;
}

export class QuoteResponse {
  cartId: string;
  lines: QuoteLineResponse[];
  /** Amounts are null past 2^53, and when nothing in the cart is on sale. */
  subtotal: MoneyDto | null;
  /** Of goods and delivery together. */
  discount: MoneyDto | null;
  deliveryFee: MoneyDto | null;
  tax: MoneyDto | null;
  taxInclusive: boolean | null;
  total: MoneyDto | null;
  couponCode: string | null;
  slot: QuoteSlotResponse | null;
  /** All of what an order would be refused for now. Lines not on sale and a coupon that can't be used are not in the amounts. */
  problems: CartProblemResponse[];
  /** To be sent with the order, which then costs this total or is refused. Null while there are problems. */
  quote: string | null;
  /** Of the quote. */
  expiresAt: string | null;
}
