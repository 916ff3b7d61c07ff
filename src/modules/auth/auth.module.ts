import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { StoresModule } from '../stores/stores.module.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { RefreshTokenCleanup } from './refresh-token-cleanup.js';
import { RefreshTokens } from './refresh-tokens.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [StoresModule],
  controllers: [AuthController, UsersController],
  providers: [
    AuthService,
    UsersService,
    AccessTokens,
    RefreshTokens,
    RefreshTokenCleanup,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
  exports: [AuthService],
})
export class AuthModule {}
