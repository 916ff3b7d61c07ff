import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { type Role, STAFF } from '../../../common/request-context.js';
import { RegisterDto } from './auth.dto.js';

export class CreateStaffDto extends RegisterDto {
  /** SUPPORT, MANAGER, ADMIN, or several of them. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(3)
  @IsIn(STAFF, { each: true })
  roles: Role[];
}
