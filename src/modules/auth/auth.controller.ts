import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Anonymous } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { AuthService } from './auth.service.js';
import { LoginDto, ProfileResponse, RefreshDto, RegisterDto, SessionResponse } from './dto/auth.dto.js';

@ApiTags('auth')
@Controller('api/auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  /** Opens a customer's account and logs it in. */
  @Anonymous()
  @Post('register')
  register(@Body() body: RegisterDto): Promise<SessionResponse> {
    return this.auth.register(body);
  }

  @Anonymous()
  @HttpCode(200)
  @Post('login')
  login(@Body() body: LoginDto): Promise<SessionResponse> {
    return this.auth.login(body);
  }

  /** Trades a refresh token, once, for a new session. */
  @Anonymous()
  @HttpCode(200)
  @Post('refresh')
  refresh(@Body() body: RefreshDto): Promise<SessionResponse> {
    return this.auth.refresh(body.refreshToken);
  }

  /** Ends the login that the refresh token belongs to. */
  @Anonymous()
  @HttpCode(204)
  @Post('logout')
  logout(@Body() body: RefreshDto): Promise<void> {
    return this.auth.logout(body.refreshToken);
  }

  @ApiBearerAuth()
  @Get('me')
  me(@CurrentActor() actor: Actor): Promise<ProfileResponse> {
    return this.auth.me(actor.id);
  }
}
