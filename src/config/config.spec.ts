import { ConfigurationError, DEVELOPMENT_SECRET, LarderConfig, loadConfig } from './config.js';
import { settingNotes } from './setting.js';

const OWN_SECRET = 'a-key-of-our-own-that-nobody-else-has';
const OWN_DATABASE = 'postgresql://larder:pa55word@db.internal:5432/larder';

/** What can be wrong with each text setting, and what its owner is told to expect. HOST and DATA_DIR are any text. */
const BAD_TEXTS: [string, string, RegExp][] = [
  ['NODE_ENV', 'staging-7', /one of the following values: development, test, production/],
  ['DATABASE_URL', 'mysql://larder:pa55word@db/larder', /postgresql:\/\//],
  ['DATABASE_URL', 'postgresql://larder:pa55 word@db/larder', /postgresql:\/\//],
  ['LOG_LEVEL', 'chatty', /one of the following values: fatal, error, warn, info/],
  ['DEFAULT_STORE', 'My Store', /lower-case letters, digits and hyphens/],
  ['DEFAULT_STORE', '-store-', /lower-case letters, digits and hyphens/],
  ['JWT_SECRET', 'hunter2-hunter2', /at least 32 characters/],
  ['LARDER_ROLE', 'butler-7', /one of the following values: all, api, worker/],
  ['REDIS_URL', 'memcached://larder:pa55word@cache', /begins with redis:/],
  ['CACHE', 'perhaps-7', /one of the following values: on, off/],
  ['PAYMENT_PROVIDER', 'barter-7', /one of the following values: test, stripe, none/],
  ['STRIPE_SECRET_KEY', 'pk_hunter2hunter2', /begins with sk_ or rk_/],
  ['STRIPE_WEBHOOK_SECRET', 'hunter2-hunter2', /begins with whsec_/],
  ['STRIPE_API_BASE', 'https://api.stripe.com/v1', /URL without a path/],
  ['TRUSTED_PROXIES', '10.0.0.0/33', /addresses or networks/],
  ['TRUSTED_PROXIES', 'proxy.internal', /addresses or networks/],
];
const ANY_TEXT = ['HOST', 'DATA_DIR'];

const defaults = new LarderConfig();
const numbers = Object.entries(defaults).flatMap(([key, value]) => (typeof value === 'number' ? [key] : []));

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message.split('\n  ').slice(1);
  }
  return [];
}

describe('the configuration', () => {
  it('is complete without any setting', () => {
    expect(loadConfig({})).toEqual(defaults);
  });

  it('takes an empty value for none, and lets other variables be', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '', JWT_SECRET: '', PATH: '/bin', constructor: 'x' })).toEqual(
      defaults,
    );
  });

  it('makes numbers of numbers, and of nothing else', () => {
    const config = loadConfig({
      PORT: '0',
      POOL_SIZE: '7',
      DEFAULT_STORE: '24',
      DATABASE_URL: OWN_DATABASE,
      JWT_SECRET: OWN_SECRET,
    });
    expect(config).toMatchObject({
      PORT: 0,
      POOL_SIZE: 7,
      DEFAULT_STORE: '24',
      DATABASE_URL: OWN_DATABASE,
      JWT_SECRET: OWN_SECRET,
    });
  });
});

describe('a bad value', () => {
  it('is tried here for every setting', () => {
    const tried = new Set([...BAD_TEXTS.map(([key]) => key), ...numbers, ...ANY_TEXT]);
    expect([...tried].sort()).toEqual([...settingNotes().keys()].sort());
  });

  it.each(BAD_TEXTS)('of %s (%p) is told by its key and what is expected', (key, value, expected) => {
    const problems = problemsOf({ [key]: value });
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(problems[0]).toMatch(new RegExp(`^${key}: `));
    expect(problems[0]).not.toContain(value);
    expect(problems[0]).not.toMatch(/pa55|hunter2/);
  });

  it.each(numbers)('of %s is told by its key and what is expected', (key) => {
    for (const [value, expected] of [
      ['seven-eleven', /integer/],
      ['1234.5678', /integer/],
      ['987654321987', /not be greater than [1-9]\d*/],
      ['-987654', /not be less than \d+/],
    ] as const) {
      const problem = problemsOf({ [key]: value }).find((line) => line.startsWith(`${key}: `) && expected.test(line));
      expect([value, problem]).toEqual([value, expect.any(String)]);
      expect(problem).not.toContain(value);
    }
  });

  it('is told together with every other one', () => {
    const problems = problemsOf({ PORT: '-1', LOG_LEVEL: 'chatty', STATEMENT_TIMEOUT_MS: '6000' });
    expect(problems.map((line) => line.split(':')[0])).toEqual(['PORT', 'LOG_LEVEL', 'TRANSACTION_TIMEOUT_MS']);
  });
});

describe('timeouts', () => {
  it.each([
    ['REQUEST_DEADLINE_MS', 'TRANSACTION_TIMEOUT_MS'],
    ['TRANSACTION_TIMEOUT_MS', 'STATEMENT_TIMEOUT_MS'],
    ['STATEMENT_TIMEOUT_MS', 'LOCK_TIMEOUT_MS'],
  ] as const)('%s has to be longer than %s', (outer, inner) => {
    const told = `${outer}: must be longer than ${inner}, which it contains`;
    expect(problemsOf({ [outer]: String(defaults[inner] - 1) })).toContain(told);
    expect(problemsOf({ [outer]: String(defaults[inner]) })).toEqual([told]);
    expect(problemsOf({ [inner]: String(defaults[outer]) })).toContain(told);
    expect(problemsOf({ [outer]: String(defaults[inner] + 1) })).toEqual([]);
  });

  it('waiting for a connection has to end before the request does', () => {
    expect(problemsOf({ POOL_ACQUIRE_TIMEOUT_MS: String(defaults.REQUEST_DEADLINE_MS) })).toEqual([
      'POOL_ACQUIRE_TIMEOUT_MS: must be shorter than REQUEST_DEADLINE_MS, which contains it',
    ]);
    expect(problemsOf({ POOL_ACQUIRE_TIMEOUT_MS: String(defaults.REQUEST_DEADLINE_MS - 1) })).toEqual([]);
  });
});

describe('cards', () => {
  const keys = { STRIPE_SECRET_KEY: 'sk_test_hunter2hunter2', STRIPE_WEBHOOK_SECRET: 'whsec_hunter2hunter2' };

  it('are charged by Stripe only with its key and its secret', () => {
    expect(problemsOf({ PAYMENT_PROVIDER: 'stripe' }).map((line) => line.split(':')[0])).toEqual(Object.keys(keys));
    expect(problemsOf({ PAYMENT_PROVIDER: 'stripe', ...keys })).toEqual([]);
  });

  it('are answered within the request', () => {
    expect(problemsOf({ PAYMENT_TIMEOUT_MS: String(defaults.REQUEST_DEADLINE_MS) })).toEqual([
      'PAYMENT_TIMEOUT_MS: must be shorter than REQUEST_DEADLINE_MS, which contains it',
    ]);
  });
});

describe('proxies in front', () => {
  it.each(['127.0.0.1', '10.0.0.0/8, 192.168.1.4', '::1,fd00::/8'])('may be %s', (list) => {
    expect(problemsOf({ TRUSTED_PROXIES: list })).toEqual([]);
  });

  it.each(['true', '1', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0', ',', 'proxy.internal'])('can not be %s', (list) => {
    expect(problemsOf({ TRUSTED_PROXIES: list })).toEqual([
      'TRUSTED_PROXIES: expected addresses or networks, as 10.0.0.0/8, with commas between them',
    ]);
  });
});

describe('production', () => {
  const safe = { NODE_ENV: 'production', DATABASE_URL: OWN_DATABASE, JWT_SECRET: OWN_SECRET };

  it('starts with a database and a secret of its own', () => {
    expect(problemsOf(safe)).toEqual([]);
  });

  it.each([
    ['the secret that everybody knows', { ...safe, JWT_SECRET: DEVELOPMENT_SECRET }, ['JWT_SECRET']],
    ['no secret', { ...safe, JWT_SECRET: '' }, ['JWT_SECRET']],
    ['a short secret', { ...safe, JWT_SECRET: 'short' }, ['JWT_SECRET']],
    ['no database', { ...safe, DATABASE_URL: '' }, ['DATABASE_URL']],
    ['neither', { NODE_ENV: 'production' }, ['JWT_SECRET', 'DATABASE_URL']],
    ['cards that charge nobody', { ...safe, PAYMENT_PROVIDER: 'test' }, ['PAYMENT_PROVIDER']],
  ])('does not start with %s', (_what, environment, keys) => {
    const problems = problemsOf(environment);
    expect(problems.map((line) => line.split(':')[0])).toEqual(keys);
    expect(problems.join()).not.toMatch(new RegExp(`${DEVELOPMENT_SECRET}|${OWN_SECRET}|pa55word`));
  });

  it('is the only place where the defaults are refused', () => {
    for (const NODE_ENV of ['development', 'test']) expect(problemsOf({ NODE_ENV })).toEqual([]);
  });
});
