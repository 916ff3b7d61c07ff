import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
  Validate,
  validateSync,
} from 'class-validator';
import { AddressList } from './address-list.js';
import { setting, settingNotes } from './setting.js';

export const DEVELOPMENT_SECRET = 'larder-development-secret-do-not-use-in-production';

/** Every setting of Larder, read from the environment once, before anything starts. */
export class LarderConfig {
  @setting({ about: 'production makes unsafe defaults a reason not to start, and never creates demo data' })
  @IsIn(['development', 'test', 'production'])
  NODE_ENV: 'development' | 'test' | 'production' = 'development';

  @setting({ about: 'port of the API; 0 takes a free one' })
  @IsInt()
  @Min(0)
  @Max(65535)
  PORT: number = 3000;

  @setting({ about: 'address to listen on' })
  @IsString()
  HOST: string = '0.0.0.0';

  @setting({
    about: 'proxies in front, addresses or networks with commas between; X-Forwarded-For is believed of them alone',
  })
  @IsOptional()
  @Validate(AddressList)
  TRUSTED_PROXIES?: string;

  @setting({ about: 'where the embedded PostgreSQL keeps its data' })
  @MinLength(1)
  DATA_DIR: string = '.data';

  @setting({ about: 'PostgreSQL to use; without it an embedded one is started', secret: true })
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\/\S+$/, { message: 'expected a URL that begins with postgresql://' })
  DATABASE_URL?: string;

  @setting({
    about: 'Redis that instances share what they cache by; without it each instance caches for itself',
    secret: true,
  })
  @IsOptional()
  @Matches(/^rediss?:\/\/\S+$/, { message: 'expected a URL that begins with redis:// or rediss://' })
  REDIS_URL?: string;

  @setting({ about: 'most time that a request waits for Redis, after which it does without', unit: 'ms' })
  @IsInt()
  @Min(10)
  @Max(5000)
  REDIS_TIMEOUT_MS: number = 100;

  @setting({ about: 'off: every read is a query, so that the cache can be told from what is behind it' })
  @IsIn(['on', 'off'])
  CACHE: 'on' | 'off' = 'on';

  @setting({ about: 'most memory for cached answers', unit: 'MB' })
  @IsInt()
  @Min(1)
  @Max(4096)
  CACHE_MEMORY_MB: number = 64;

  @setting({ about: 'api serves requests, worker runs background jobs and schedules, all does both' })
  @IsIn(['all', 'api', 'worker'])
  LARDER_ROLE: 'all' | 'api' | 'worker' = 'all';

  @setting({ about: 'least level that is logged' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  LOG_LEVEL: string = 'info';

  @setting({ about: 'slug of the store of requests that name none' })
  @Matches(/^[a-z0-9]+(-[a-z0-9]+)*$/, { message: 'expected lower-case letters, digits and hyphens' })
  DEFAULT_STORE: string = 'demo';

  @setting({ about: 'key that signs access tokens, at least 32 characters', secret: true })
  @MinLength(32, { message: 'expected at least 32 characters' })
  JWT_SECRET: string = DEVELOPMENT_SECRET;

  @setting({ about: 'life of an access token', unit: 's' })
  @IsInt()
  @Min(30)
  @Max(86_400)
  ACCESS_TOKEN_TTL_S: number = 900;

  @setting({ about: 'life of a refresh token', unit: 's' })
  @IsInt()
  @Min(60)
  @Max(31_536_000)
  REFRESH_TOKEN_TTL_S: number = 2_592_000;

  @setting({ about: 'largest request body', unit: 'bytes' })
  @IsInt()
  @Min(1024)
  @Max(10_485_760)
  BODY_LIMIT_BYTES: number = 262_144;

  @setting({ about: 'after this a request is answered 503', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  REQUEST_DEADLINE_MS: number = 8000;

  @setting({ about: 'after this a transaction is rolled back', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  TRANSACTION_TIMEOUT_MS: number = 5000;

  @setting({ about: 'after this PostgreSQL stops a statement', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  STATEMENT_TIMEOUT_MS: number = 3000;

  @setting({ about: 'after this PostgreSQL stops waiting for a lock', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  LOCK_TIMEOUT_MS: number = 500;

  @setting({ about: 'after this a request stops waiting for a connection', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  POOL_ACQUIRE_TIMEOUT_MS: number = 1000;

  @setting({ about: 'most connections to PostgreSQL of this process', unit: 'connections' })
  @IsInt()
  @Min(1)
  @Max(1000)
  POOL_SIZE: number = 20;

  @setting({ about: 'background jobs that a worker runs at once', unit: 'jobs' })
  @IsInt()
  @Min(1)
  @Max(100)
  JOBS_AT_ONCE: number = 5;

  @setting({
    about: 'a worker that has told nothing for so long is dead, and its jobs are given to others',
    unit: 'ms',
  })
  @IsInt()
  @Min(2000)
  @Max(3_600_000)
  JOBS_WORKER_LOST_MS: number = 15_000;

  @setting({ about: 'an answer is kept for its Idempotency-Key at least so long', unit: 'h' })
  @IsInt()
  @Min(24)
  @Max(8760)
  IDEMPOTENCY_KEEP_H: number = 24;

  @setting({ about: 'an event is kept so long after it was handed to its subscribers', unit: 'days' })
  @IsInt()
  @Min(1)
  @Max(3650)
  OUTBOX_KEEP_DAYS: number = 30;

  @setting({
    about:
      'who charges cards: test (offline, refused in production), stripe, or none; test where it is not set, none in production',
  })
  @IsOptional()
  @IsIn(['test', 'stripe', 'none'])
  PAYMENT_PROVIDER?: 'test' | 'stripe' | 'none';

  @setting({ about: 'API key of the Stripe account', secret: true })
  @IsOptional()
  @Matches(/^(sk|rk)_\w{8,}$/, { message: 'expected a key that begins with sk_ or rk_' })
  STRIPE_SECRET_KEY?: string;

  @setting({ about: 'secret that signs what Stripe sends to /api/webhooks/payments/stripe', secret: true })
  @IsOptional()
  @Matches(/^whsec_\w{8,}$/, { message: 'expected a secret that begins with whsec_' })
  STRIPE_WEBHOOK_SECRET?: string;

  @setting({ about: 'where Stripe is; another than its own only for tests' })
  @Matches(/^https?:\/\/[^/\s]+$/, { message: 'expected a URL without a path' })
  STRIPE_API_BASE: string = 'https://api.stripe.com';

  @setting({ about: 'after this a payment provider is taken for silent, and asked again later', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  PAYMENT_TIMEOUT_MS: number = 4000;

  @setting({ about: 'a query as slow as this is logged', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  SLOW_QUERY_LOG_MS: number = 100;

  @setting({ about: 'a query as slow as this is a warning', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  SLOW_QUERY_WARN_MS: number = 500;

  @setting({ about: 'at a stop, time for balancers to see that this instance is not ready', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(120_000)
  SHUTDOWN_DELAY_MS: number = 0;

  @setting({ about: 'at a stop, most time for requests under way', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(120_000)
  SHUTDOWN_DRAIN_MS: number = 15_000;
}

/** A bad configuration: names the keys and what is expected of them, never a value. */
export class ConfigurationError extends Error {}

const TIMEOUTS_OUTSIDE_IN = [
  'REQUEST_DEADLINE_MS',
  'TRANSACTION_TIMEOUT_MS',
  'STATEMENT_TIMEOUT_MS',
  'LOCK_TIMEOUT_MS',
] as const;

/** @throws ConfigurationError that lists every problem. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): LarderConfig {
  const given = [...settingNotes().keys()]
    .filter((key) => environment[key] !== undefined && environment[key] !== '')
    .map((key) => [key, environment[key]]);
  const config = plainToInstance(LarderConfig, Object.fromEntries(given), {
    enableImplicitConversion: true,
    exposeDefaultValues: true,
  });
  const problems = validateSync(config).map(
    ({ property, constraints }) =>
      `${property}: ${Object.values(constraints ?? {})
        .map((text) => text.replace(`${property} `, ''))
        .join(', ')}`,
  );
  TIMEOUTS_OUTSIDE_IN.forEach((outer, index) => {
    const inner = TIMEOUTS_OUTSIDE_IN[index + 1];
    if (inner && config[outer] <= config[inner])
      problems.push(`${outer}: must be longer than ${inner}, which it contains`);
  });
  if (config.POOL_ACQUIRE_TIMEOUT_MS >= config.REQUEST_DEADLINE_MS) {
    problems.push('POOL_ACQUIRE_TIMEOUT_MS: must be shorter than REQUEST_DEADLINE_MS, which contains it');
  }
  if (config.PAYMENT_TIMEOUT_MS >= config.REQUEST_DEADLINE_MS) {
    problems.push('PAYMENT_TIMEOUT_MS: must be shorter than REQUEST_DEADLINE_MS, which contains it');
  }
  if (config.REDIS_TIMEOUT_MS >= config.REQUEST_DEADLINE_MS) {
    problems.push('REDIS_TIMEOUT_MS: must be shorter than REQUEST_DEADLINE_MS, which contains it');
  }
  if (config.PAYMENT_PROVIDER === 'stripe') {
    for (const key of ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const) {
      if (!config[key]) problems.push(`${key}: required for PAYMENT_PROVIDER=stripe`);
    }
  }
  if (config.NODE_ENV === 'production') problems.push(...unsafeInProduction(config));
  if (problems.length > 0) throw new ConfigurationError(`Larder can not start:\n  ${problems.join('\n  ')}`);
  return config;
}

function unsafeInProduction(config: LarderConfig): string[] {
  const problems: string[] = [];
  if (config.JWT_SECRET === DEVELOPMENT_SECRET)
    problems.push('JWT_SECRET: set your own in production, 32 characters or more');
  if (!config.DATABASE_URL)
    problems.push('DATABASE_URL: required in production; the embedded PostgreSQL is for trying out');
  if (config.PAYMENT_PROVIDER === 'test')
    problems.push('PAYMENT_PROVIDER: test charges nobody; in production use stripe or none');
  return problems;
}

/** No setting of ours: whether `npm start` is what runs this process. */
export function isStartedByNpm(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment.npm_lifecycle_event === 'start';
}
