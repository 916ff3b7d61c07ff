import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsString,
  IsTimeZone,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { Omittable } from '../../../http/omittable.js';
import { LINE, onOneLine, trimmed } from '../../../http/text.js';

const LARGEST = 10_000_000_000;
/** Area and city: PostgreSQL takes CET for an offset without summer, and +02:00 for two hours west. */
const TIME_ZONE = /^(UTC|[A-Z][A-Za-z_]+(\/[A-Za-z0-9_+-]+){1,2})$/;
const timeZoneForm = '$property must be UTC or a time zone of the IANA database, as Europe/Berlin';

/** What may change of a store; amounts in minor units of its currency, which never changes. */
export class StoreChangesDto {
  @Omittable()
  @trimmed
  @IsString()
  @Length(1, 200)
  @Matches(LINE, onOneLine)
  name?: string;

  /** Of the IANA database, as Europe/Berlin. Days of slots and reports are its days; slots that exist stay when they are. */
  @Omittable()
  @IsTimeZone({ message: timeZoneForm })
  @Matches(TIME_ZONE, { message: timeZoneForm })
  timezone?: string;

  /** Zip codes that it delivers to. */
  @Omittable()
  @IsArray()
  @ArrayMaxSize(5000)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 20, { each: true })
  serviceZipCodes?: string[];

  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  deliveryFee?: number;

  /** What an agent earns for a delivered order. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  agentFee?: number;

  /** Cash that an agent may hold before offers stop. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  agentFloatLimit?: number;

  /** Seconds that an offer stands. */
  @Omittable()
  @IsInt()
  @Min(10)
  @Max(86_400)
  offerTtlSeconds?: number;

  /** How often an order is offered again by itself, before staff have to see to it. */
  @Omittable()
  @IsInt()
  @Min(1)
  @Max(100)
  offerRounds?: number;

  /** Minutes from placing an order to the time promised, where no slot is booked. */
  @Omittable()
  @IsInt()
  @Min(1)
  @Max(43_200)
  promiseMinutes?: number;

  @Omittable()
  @IsIn(['CODE', 'PHOTO', 'NAME'])
  deliveryProof?: 'CODE' | 'PHOTO' | 'NAME';

  /** Prices contain their tax; else it comes on top. Orders that are placed stay as they are. */
  @Omittable()
  @IsBoolean()
  taxInclusive?: boolean;

  /** Tax on goods whose category says nothing else, parts per million: 88750 is 8.875 %. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  taxRatePpm?: number;

  @Omittable()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  deliveryTaxPpm?: number;

  /** Minutes that a card order waits for its payment. */
  @Omittable()
  @IsInt()
  @Min(1)
  @Max(1440)
  paymentMinutes?: number;

  /** AUTOMATIC: as soon as authorised. MANUAL: when the parcel leaves, or by staff. */
  @Omittable()
  @IsIn(['AUTOMATIC', 'MANUAL'])
  cardCapture?: 'AUTOMATIC' | 'MANUAL';

  /** Most cash above the amount due that an agent may take; it goes to the customer's wallet. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  overpaymentLimit?: number;

  /** Refunds above this need approval. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  refundApprovalThreshold?: number;

  /** What is withdrawn from a wallet within 24 hours needs approval above this. */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(LARGEST)
  withdrawalApprovalThreshold?: number;

  /** People who have to agree, of requests from now on. */
  @Omittable()
  @IsInt()
  @Min(1)
  @Max(10)
  approvalsRequired?: number;
}

export class StoreResponse {
  id: string;
  slug: string;
  name: string;
  currency: string;
  timezone: string;
  serviceZipCodes: string[];
  deliveryFee: number;
  agentFee: number;
  agentFloatLimit: number;
  offerTtlSeconds: number;
  offerRounds: number;
  promiseMinutes: number;
  deliveryProof: string;
  taxInclusive: boolean;
  taxRatePpm: number;
  deliveryTaxPpm: number;
  paymentMinutes: number;
  cardCapture: string;
  overpaymentLimit: number;
  refundApprovalThreshold: number;
  withdrawalApprovalThreshold: number;
  approvalsRequired: number;
}
