import { Type } from 'class-transformer';
import {
  IsIn,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  IsUUID,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { MoneyDto, PriceDto } from '../../../http/money.dto.js';
import { PageQuery } from '../../../http/page.dto.js';
import { ASSIGNMENT_STATUSES, type AssignmentStatus } from '../shipping.states.js';

export class OfferDto {
  @IsUUID()
  orderId: string;

  /** Offers it to this agent alone; without it, to every eligible one. */
  @IsOptional()
  @IsUUID()
  agentId?: string;
}

export class AssignmentsQuery extends PageQuery {
  @IsOptional()
  @IsIn(ASSIGNMENT_STATUSES)
  status?: AssignmentStatus;
}

export class ProofDto {
  /** Six digits that the customer has. */
  @IsOptional()
  @Matches(/^[0-9]{6}$/, { message: 'code must be six digits' })
  code?: string;

  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2000)
  photoUrl?: string;

  /** Who took the parcel. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name?: string;
}

export class DeliverDto {
  @IsObject()
  @ValidateNested()
  @Type(() => ProofDto)
  proof: ProofDto;

  /** Needed when cash is due. What is above it, up to the store's limit, goes to the customer's wallet. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PriceDto)
  cashCollected?: PriceDto;

  /** Why the cash is less than what is due; without it, it can't be. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  shortReason?: string;
}

export class FailDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason: string;
}

export class AssignmentResponse {
  id: string;
  orderId: string;
  orderNumber: string;
  agentId: string | null;
  status: AssignmentStatus;
  zip: string;
  /** To staff, and to the agent while the parcel is his to carry; null before and after. */
  deliveryAddress: object | null;
  /** Zero when the order is paid. */
  cashDue: MoneyDto;
  cashCollected: MoneyDto | null;
  /** Why it was less than what was due. */
  shortReason: string | null;
  failReason: string | null;
  offeredAt: string;
  offerExpiresAt: string | null;
  acceptedAt: string | null;
  pickedUpAt: string | null;
  deliveredAt: string | null;
  promisedAt: string;
}

export class AssignmentPageResponse {
  items: AssignmentResponse[];
  nextCursor: string | null;
}
