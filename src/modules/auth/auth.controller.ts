import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiTags } from '@nestjs/swagger';
import { Anonymous } from '../../http/access.js';
import { type Actor, CurrentActor } from '../../http/actor.js';
import { SentCartToken } from '../../http/guest.js';
import { AuthService } from './auth.service.js';
import { LoginDto, ProfileResponse, RefreshDto, RegisterDto, SessionResponse } from './dto/auth.dto.js';

const CART_TOKEN = {
  name: 'X-Cart-Token',
  required: false,
  description: "of a guest's cart, to be merged into one's own",
};

@ApiTags('auth')
@Controller('api/auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  /** Opens a customer's account and logs it in. */
  @Anonymous()
  @ApiHeader(CART_TOKEN)
  @Post('register')
  register(@Body() body: RegisterDto, @SentCartToken() cartTokenHash: Buffer | null): Promise<SessionResponse> {
    return this.auth.register(body, cartTokenHash);
  }

  @Anonymous()
  @ApiHeader(CART_TOKEN)
  @HttpCode(200)
  @Post('login')
  login(@Body() body: LoginDto, @SentCartToken() cartTokenHash: Buffer | null): Promise<SessionResponse> {
    return this.auth.login(body, cartTokenHash);
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
