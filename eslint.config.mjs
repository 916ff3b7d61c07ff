import tseslint from 'typescript-eslint';

/** What has one right way here; the message says which. */
const FORBIDDEN = [
  {
    selector: 'Property[key.name="event"] > Literal:not([value=/^[a-z]+(_[a-z]+)+$/])',
    message: 'Event names are domain_action_status, in lower case: see LogEntry.',
  },
  {
    selector: 'CallExpression[callee.name="forwardRef"]',
    message: 'Two modules that need each other: send news upwards as events instead.',
  },
  {
    selector: 'MemberExpression[property.name=/^\\$(query|execute)RawUnsafe$/]',
    message: 'Values go into SQL as parameters: Prisma.sql, in a *.queries.ts.',
  },
  {
    selector: 'ExportAllDeclaration',
    message: 'No barrel files: import from where it is.',
  },
];
const ENVIRONMENT = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Settings come validated from LarderConfig.',
};

export default tseslint.config(
  { ignores: ['dist/', 'src/generated/', 'coverage/', '.data/', '**/*.mjs'] },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: ['./tsconfig.json', './tsconfig.tools.json'] } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**'],
    rules: { 'no-restricted-syntax': ['error', ...FORBIDDEN, ENVIRONMENT] },
  },
  {
    // The embedded database hands the environment on to the programs it runs.
    files: ['src/config/**', 'src/platform/embedded/**', 'src/cli/**'],
    rules: { 'no-restricted-syntax': ['error', ...FORBIDDEN] },
  },
  {
    files: ['tools/**', 'bench/**', 'src/cli/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**', '**/*.spec.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
);
