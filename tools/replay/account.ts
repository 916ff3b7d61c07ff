import { type LarderAnswer, type LarderClient, type LarderRequest, refusalOf } from './larder-client.ts';
import { ReplayFailure } from './replay-failure.ts';

/** Someone who is logged in, and logs in again when the access token has run out. */
export class Account {
  readonly email: string;
  private readonly client: LarderClient;
  private readonly password: string;
  private token?: string;
  private loggingIn?: Promise<void>;

  constructor(client: LarderClient, email: string, password: string) {
    this.client = client;
    this.email = email;
    this.password = password;
  }

  /**
   * Registers, or logs in when the account is there already; what is likely first, since each costs Larder a slow hash.
   * @returns whether the account is new
   * @throws ReplayFailure
   */
  async open(name: string, likelyThere: boolean): Promise<boolean> {
    const { email, password } = this;
    if (likelyThere) {
      const answer = await this.client.send({ method: 'POST', path: '/api/auth/login', body: { email, password } });
      if (answer.status === 200) {
        this.begin(answer, 200);
        return false;
      }
    }
    const answer = await this.client.send({
      method: 'POST',
      path: '/api/auth/register',
      body: { email, password, name },
    });
    if (answer.status === 409) {
      await this.login();
      return false;
    }
    this.begin(answer, 201);
    return true;
  }

  /** @throws ReplayFailure */
  async login(): Promise<void> {
    const { email, password } = this;
    this.begin(await this.client.send({ method: 'POST', path: '/api/auth/login', body: { email, password } }), 200);
  }

  async send(request: LarderRequest): Promise<LarderAnswer> {
    const { token } = this;
    const answer = await this.client.send({ ...request, token });
    if (answer.status !== 401) return answer;
    // Of many requests that meet the end of the token's life, one logs in again.
    if (this.token === token) {
      this.loggingIn ??= this.login().finally(() => (this.loggingIn = undefined));
      await this.loggingIn;
    }
    return this.client.send({ ...request, token: this.token });
  }

  private begin(answer: LarderAnswer, expected: number): void {
    if (answer.status !== expected) throw new ReplayFailure(`${this.email} can not log in: ${refusalOf(answer)}`);
    this.token = (answer.body as { accessToken: string }).accessToken;
  }
}
