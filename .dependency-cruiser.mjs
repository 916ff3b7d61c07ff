/** The import rules of docs/architecture.md as a failing check: `npm run deps:check`. */

/** Top to bottom: a room imports from its own and from those below it. Regular expressions of paths. */
const ROOMS = [
  { name: 'process', path: '^src/(main\\.ts$|cli/|lifecycle/|demo/|verify/|import/|generate/)' },
  { name: 'app', path: '^src/app\\.[a-z]+\\.ts$' },
  { name: 'modules', path: '^src/modules/' },
  { name: 'http', path: '^src/http/' },
  { name: 'platform', path: '^src/platform/' },
  { name: 'config', path: '^src/config/' },
  { name: 'common', path: '^src/common/' },
];

/** Each module imports from modules of lower ranks only, never from a neighbour of its own; news goes up as events. */
const MODULE_RANKS = [
  ['stores'],
  ['auth'],
  ['approvals'],
  ['catalog', 'inventory', 'wallets'],
  ['payments', 'slots', 'promotions'],
  ['carts'],
  ['orders'],
  ['refunds'],
  ['shipping'],
  ['cache', 'jobs', 'notifications', 'dashboard'],
  ['health'],
];

/** Who may read from the cache: what people look at. */
const READS_CACHE = [
  '^src/http/cached-answer\\.ts$',
  '^src/modules/cache/',
  '^src/modules/catalog/product-list\\.ts$',
  '^src/modules/dashboard/(?!fold-)',
  '^src/modules/slots/slot-availability\\.ts$',
];

const anyOf = (names) => `(${names.join('|')})`;

const roomsOnlyDown = ROOMS.slice(1).map(({ name, path }, index) => ({
  name: `${name}-imports-upwards`,
  comment: `${name} must not know what is above it.`,
  severity: 'error',
  from: { path },
  to: {
    path: ROOMS.slice(0, index + 1)
      .map((above) => above.path)
      .join('|'),
  },
}));

const modulesOnlyDown = MODULE_RANKS.flatMap((names, rank) =>
  names.map((name) => ({
    name: `${name}-imports-its-rank-or-above`,
    comment: 'Modules are ranked; see MODULE_RANKS.',
    severity: 'error',
    from: { path: `^src/modules/${name}/` },
    to: {
      path: `^src/modules/${anyOf(MODULE_RANKS.slice(rank).flat())}/`,
      pathNot: `^src/modules/${name}/`,
    },
  })),
);

export default {
  forbidden: [
    ...roomsOnlyDown,
    ...modulesOnlyDown,
    {
      name: 'module-without-rank',
      comment: 'A new module needs a place in MODULE_RANKS.',
      severity: 'error',
      from: { path: '^src/modules/', pathNot: `^src/modules/${anyOf(MODULE_RANKS.flat())}/` },
      to: {},
    },
    {
      name: 'file-without-room',
      comment: 'Every file of src lives in one of ROOMS.',
      severity: 'error',
      from: { path: '^src/', pathNot: [...ROOMS.map(({ path }) => path), '^src/generated/'] },
      to: {},
    },
    {
      name: 'circle',
      comment: 'Two files that need each other are one file, or a third one is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'unreachable',
      comment: 'Neither the process nor a command leads here: dead code.',
      severity: 'error',
      from: { path: '^src/(main\\.ts$|cli/)' },
      to: {
        path: '^src/',
        pathNot: ['^src/(main\\.ts$|cli/)', '^src/generated/', '\\.spec\\.ts$', '\\.d\\.ts$'],
        reachable: false,
      },
    },
    {
      name: 'orphan',
      comment: 'Imported by nothing and importing nothing.',
      severity: 'error',
      from: { orphan: true, pathNot: ['^src/(main\\.ts$|cli/)', '^(tools|bench)/[^/]+(/main)?\\.ts$', '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'decides-by-a-cache',
      comment:
        'Who decides about money or stock reads the database. Those who write may tell the cache, in invalidation/, no more.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/cache/', '^src/app\\.module\\.ts$', ...READS_CACHE] },
      to: { path: '^src/platform/cache/', pathNot: '^src/platform/cache/invalidation/' },
    },
    {
      name: 'decides-by-a-cached-service',
      comment: 'What comes from a cache is sent to people: controllers alone may ask for it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.(controller|module)\\.ts$', ...READS_CACHE] },
      to: { path: READS_CACHE },
    },
    {
      name: 'invalidation-reads',
      comment: 'The side of the cache that writers know leads to no answer.',
      severity: 'error',
      from: { path: '^src/platform/cache/invalidation/' },
      to: { path: '^src/platform/cache/', pathNot: '^src/platform/cache/invalidation/' },
    },
    {
      name: 'generated-client',
      comment: 'Who needs rows asks Database; only it, and hand-written SQL, know the generated client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/', '\\.queries\\.ts$', '^src/generated/'] },
      to: { path: '^src/generated/' },
    },
    {
      name: 'clients-stay-outside',
      comment: 'Tools, bench and SDK meet Larder over HTTP, as its users do.',
      severity: 'error',
      from: { path: '^(tools|bench|sdk)/' },
      to: { path: '^(src|test)/' },
    },
    {
      name: 'test-code-in-src',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|tools|bench|sdk)/' },
    },
    {
      name: 'development-package-in-src',
      comment: 'Production is installed without development packages.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'package-not-declared',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^src/generated/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
