import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
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
  ValidateNested,
} from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { PageQuery } from '../../../http/page.dto.js';
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
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => OrderLineDto)
  lines: OrderLineDto[];

  /** CARD is answered PAYMENT_METHOD_NOT_SUPPORTED until the store takes cards. */
  @IsIn(['COD', 'WALLET', 'CARD'])
  paymentMethod: 'COD' | 'WALLET' | 'CARD';

  @IsObject()
  @ValidateNested()
  @Type(() => AddressDto)
  deliveryAddress: AddressDto;

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
  total: MoneyDto;
}

export class OrderPaymentResponse {
  id: string;
  method: string;
  status: string;
  amount: MoneyDto;
  captured: MoneyDto;
  refunded: MoneyDto;
}

export class OrderResponse {
  id: string;
  /** What a person reads out, as 7K3M-Q2ZD. */
  number: string;
  customerId: string;
  status: OrderStatus;
  version: number;
  lines: OrderLineResponse[];
  subtotal: MoneyDto;
  discount: MoneyDto;
  deliveryFee: MoneyDto;
  tax: MoneyDto;
  total: MoneyDto;
  payment: OrderPaymentResponse;
  deliveryAddress: AddressDto;
  /** Six digits for the agent at the door; null to everyone but the order's own customer. */
  deliveryCode: string | null;
  note: string | null;
  placedAt: string;
  promisedAt: string;
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
