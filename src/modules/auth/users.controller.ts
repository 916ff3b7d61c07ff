import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { UserResponse } from './dto/auth.dto.js';
import { CreateStaffDto } from './dto/users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Roles('ADMIN')
@Controller('api/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** An account for somebody who works in the shop. Agents are made at /api/shipping/agents. */
  @Post()
  create(@Body() body: CreateStaffDto): Promise<UserResponse> {
    return this.users.createStaff(body);
  }
}
