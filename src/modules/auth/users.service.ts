import { Injectable } from '@nestjs/common';
import { AuthService } from './auth.service.js';
import type { UserResponse } from './dto/auth.dto.js';
import type { CreateStaffDto } from './dto/users.dto.js';
import { hashPassword } from './passwords.js';

@Injectable()
export class UsersService {
  constructor(private readonly auth: AuthService) {}

  /** @throws EMAIL_TAKEN */
  async createStaff({ email, password, name, roles }: CreateStaffDto): Promise<UserResponse> {
    const passwordHash = await hashPassword(password);
    return this.auth.createUser({ email, name, roles: [...new Set(roles)], passwordHash });
  }
}
