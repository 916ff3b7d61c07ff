import { Transform } from 'class-transformer';
import { IsEmail, IsNotEmpty, IsString, MaxLength, MinLength } from 'class-validator';
import type { Role } from '../../../common/request-context.js';
import { trimmedLower } from '../../../http/trimmed-lower.js';

class EmailDto {
  @Transform(trimmedLower)
  @IsEmail()
  @MaxLength(254)
  email: string;
}

export class LoginDto extends EmailDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  password: string;
}

export class RegisterDto extends EmailDto {
  @IsString()
  @MinLength(8)
  @MaxLength(200)
  password: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  name: string;
}

export class RefreshDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  refreshToken: string;
}

export class UserResponse {
  id: string;
  email: string;
  name: string;
  roles: Role[];
}

export class AddressResponse {
  name: string;
  phone: string;
  line1: string;
  city: string;
  zip: string;
}

export class ProfileResponse extends UserResponse {
  /** Where this customer's orders usually go, in the form of an order's deliveryAddress. */
  address: AddressResponse | null;
}

export class SessionResponse {
  accessToken: string;
  refreshToken: string;
  /** Life of the access token, seconds. */
  expiresIn: number;
  user: UserResponse;
  /** The customer's cart, when that of X-Cart-Token was merged into it. */
  cartId?: string;
}
