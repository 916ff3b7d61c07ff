import { Injectable } from '@nestjs/common';
import { failure } from '../../common/exceptions/failure.js';
import { newId } from '../../common/ids.js';
import { currentStore, type Role } from '../../common/request-context.js';
import { LarderConfig } from '../../config/config.js';
import { Database, type Transaction } from '../../platform/prisma/database.js';
import { violates } from '../../platform/prisma/database-error.js';
import { AccessTokens } from './access-tokens.js';
import type {
  AddressResponse,
  LoginDto,
  ProfileResponse,
  RegisterDto,
  SessionResponse,
  UserResponse,
} from './dto/auth.dto.js';
import { hashPassword, verifyPassword } from './passwords.js';
import { RefreshTokens } from './refresh-tokens.js';

/** What is done for a customer who comes in with a guest's cart; the id of his own cart then. Doesn't throw. */
type ArrivalListener = (userId: string, cartTokenHash: Buffer) => Promise<string | undefined>;

const USER_COLUMNS = { id: true, email: true, name: true, roles: true } as const;

@Injectable()
export class AuthService {
  private arrivalListener: ArrivalListener | undefined;

  constructor(
    private readonly database: Database,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly config: LarderConfig,
  ) {}

  /** For the module of carts, which is above this one. */
  onArrival(listener: ArrivalListener): void {
    this.arrivalListener = listener;
  }

  /**
   * Opens a customer's account with its wallet.
   * @param cartTokenHash of a guest's cart that becomes his
   * @throws EMAIL_TAKEN
   */
  async register({ email, password, name }: RegisterDto, cartTokenHash: Buffer | null): Promise<SessionResponse> {
    const user = await this.createUser({
      email,
      name,
      roles: ['CUSTOMER'],
      passwordHash: await hashPassword(password),
    });
    return this.arrive(user, cartTokenHash);
  }

  /**
   * @param cartTokenHash of a guest's cart that becomes his
   * @throws INVALID_CREDENTIALS, the same and as slow for an unknown e-mail, a wrong password and a disabled account
   */
  async login({ email, password }: LoginDto, cartTokenHash: Buffer | null): Promise<SessionResponse> {
    const user = await this.database.prisma.user.findFirst({
      where: { email, disabledAt: null },
      select: { ...USER_COLUMNS, passwordHash: true },
    });
    if (!(await verifyPassword(user?.passwordHash, password)) || !user) throw failure('INVALID_CREDENTIALS');
    return this.arrive(toUser(user), cartTokenHash);
  }

  /** @throws REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED */
  async refresh(refreshToken: string): Promise<SessionResponse> {
    const { userId, familyId } = await this.refreshTokens.take(refreshToken);
    const user = await this.database.prisma.user.findFirst({
      where: { id: userId, disabledAt: null },
      select: USER_COLUMNS,
    });
    if (!user) throw failure('REFRESH_TOKEN_INVALID');
    return this.openSession(toUser(user), familyId);
  }

  async logout(refreshToken: string): Promise<void> {
    await this.refreshTokens.revoke(refreshToken);
  }

  /** @throws UNAUTHENTICATED when the account is gone since the token was issued */
  async me(userId: string): Promise<ProfileResponse> {
    const user = await this.database.prisma.user.findFirst({
      where: { id: userId, disabledAt: null },
      select: { ...USER_COLUMNS, address: true },
    });
    if (!user) throw failure('UNAUTHENTICATED');
    return { ...toUser(user), address: user.address as AddressResponse | null };
  }

  /** A user with the wallets of his roles, and what else his role calls for, in one transaction. @throws EMAIL_TAKEN */
  async createUser(
    user: { email: string; name: string; roles: Role[]; passwordHash: string },
    also?: (tx: Transaction, id: string) => Promise<void>,
  ): Promise<UserResponse> {
    const id = newId();
    try {
      await this.database.transaction(async (tx) => {
        await tx.user.create({ data: { storeId: currentStore(), id, ...user } });
        await tx.$executeRaw`SELECT open_user_wallets(${currentStore()}::uuid, ${id}::uuid)`;
        await also?.(tx, id);
      });
    } catch (error) {
      if (violates(error, 'users_email_key')) throw failure('EMAIL_TAKEN');
      throw error;
    }
    return { id, email: user.email, name: user.name, roles: user.roles };
  }

  private async arrive(user: UserResponse, cartTokenHash: Buffer | null): Promise<SessionResponse> {
    const session = await this.openSession(user);
    if (!cartTokenHash || !user.roles.includes('CUSTOMER')) return session;
    return { ...session, cartId: await this.arrivalListener?.(user.id, cartTokenHash) };
  }

  private async openSession(user: UserResponse, familyId?: string): Promise<SessionResponse> {
    const [accessToken, refreshToken] = await Promise.all([
      this.accessTokens.issue({ userId: user.id, storeId: currentStore(), roles: user.roles }),
      this.refreshTokens.issue(user.id, familyId),
    ]);
    return { accessToken, refreshToken, expiresIn: this.config.ACCESS_TOKEN_TTL_S, user };
  }
}

function toUser(row: { id: string; email: string; name: string; roles: string[] }): UserResponse {
  return { id: row.id, email: row.email, name: row.name, roles: row.roles as Role[] };
}
