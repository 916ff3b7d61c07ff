import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsEmail,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { PageQuery } from '../../../http/page.dto.js';
import { trimmedLower } from '../../../http/trimmed-lower.js';
import { ORDER_STATUSES, type OrderStatus } from '../orders.states.js';

export class OrderLineDto {
  @IsUUID()
  variantId: string;

  @IsInt()
  @IsPositive()
  @Max(100_000)
  quantity: number;
}

export class AddressDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(40)
  phone: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  line1: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  city: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(20)
  zip: string;
}

export class PlaceOrderDto {
  /** One's own cart, which becomes this order and no other. A guest's with its token as X-Cart-Token. */
  @IsOptional()
  @IsUUID()
  cartId?: string;

  /** What to order without a cart; not for guests. */
  @ValidateIf(({ lines, cartId }: PlaceOrderDto) => lines !== undefined || !cartId)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => OrderLineDto)
  lines?: OrderLineDto[];

  /** WALLET needs a login; CARD is answered PAYMENT_METHOD_NOT_SUPPORTED where the store takes none. */
  @IsIn(['COD', 'WALLET', 'CARD'])
  paymentMethod: 'COD' | 'WALLET' | 'CARD';

  @IsObject()
  @ValidateNested()
  @Type(() => AddressDto)
  deliveryAddress: AddressDto;

  /** A delivery window of GET /api/slots. */
  @IsOptional()
  @IsUUID()
  slotId?: string;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(40)
  couponCode?: string;

  /** Of POST /api/carts/{id}/quote: another total than its is QUOTE_CHANGED. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(1000)
  quote?: string;

  /** Where a guest is reached; not looked at with a login. */
  @IsOptional()
  @Transform(trimmedLower)
  @IsEmail()
  @MaxLength(254)
  email?: string;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  note?: string;
}

export class ChangeOrderDto {
  @IsIn(ORDER_STATUSES)
  status: OrderStatus;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  reason?: string;

  /** The version that the caller saw; another one now is a conflict. */
  @IsOptional()
  @IsInt()
  @IsPositive()
  @Max(2_147_483_647)
  version?: number;
}

export class OrdersQuery extends PageQuery {
  @IsOptional()
  @IsIn(ORDER_STATUSES)
  status?: OrderStatus;
}

export class OrderLineResponse {
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
  /** Pieces that refunds cover. */
  refundedQuantity: number;
}

export class OrderSlotResponse {
  id: string;
  startsAt: string;
  endsAt: string;
}

export class OrderPaymentResponse {
  id: string;
  method: string;
  status: string;
  amount: MoneyDto;
  captured: MoneyDto;
  refunded: MoneyDto;
  /** Why the card was not charged, last time. */
  failureCode: string | null;
}

export class OrderResponse {
  id: string;
  /** What a person reads out, as 7K3M-Q2ZD. */
  number: string;
  /** Null for a guest, who has an e-mail instead. */
  customerId: string | null;
  email: string | null;
  cartId: string | null;
  status: OrderStatus;
  version: number;
  lines: OrderLineResponse[];
  subtotal: MoneyDto;
  /** Of goods and delivery together. */
  discount: MoneyDto;
  deliveryFee: MoneyDto;
  tax: MoneyDto;
  /** The prices contain the tax; it isn't added to the total. */
  taxInclusive: boolean;
  total: MoneyDto;
  payment: OrderPaymentResponse;
  couponCode: string | null;
  slot: OrderSlotResponse | null;
  deliveryAddress: AddressDto;
  /** Six digits for the agent at the door; null to everyone but the order's own customer or guest. */
  deliveryCode: string | null;
  note: string | null;
  placedAt: string;
  promisedAt: string;
  /** Until then a PENDING order waits for its payment. */
  expiresAt: string | null;
  updatedAt: string;
}

export class OrderPageResponse {
  items: OrderResponse[];
  nextCursor: string | null;
}

export class OrderHistoryResponse {
  version: number;
  from: string | null;
  to: string;
  actorId: string | null;
  actorRole: string;
  reason: string | null;
  at: string;
}

export class OrderHistoryPageResponse {
  items: OrderHistoryResponse[];
  nextCursor: string | null;
}
