import { ArrayMaxSize, IsArray, IsIn, IsString, Matches } from 'class-validator';
import { MoneyDto } from '../../../http/money.dto.js';
import { Omittable } from '../../../http/omittable.js';
import { RegisterDto } from '../../auth/dto/auth.dto.js';

const ZIP = /^[A-Za-z0-9 -]{2,20}$/;

export class CreateAgentDto extends RegisterDto {
  @Omittable()
  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(ZIP, { each: true })
  serviceZipCodes?: string[];
}

export class UpdateAgentDto {
  @Omittable()
  @IsIn(['ONLINE', 'OFFLINE'])
  status?: 'ONLINE' | 'OFFLINE';

  @Omittable()
  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(ZIP, { each: true })
  serviceZipCodes?: string[];
}

export class AgentResponse {
  id: string;
  name: string;
  @IsString()
  status: string;
  serviceZipCodes: string[];
  /** What he holds for the store. */
  cashInHand: MoneyDto;
}

export class AgentPageResponse {
  items: AgentResponse[];
  nextCursor: string | null;
}
