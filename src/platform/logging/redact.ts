/** Secrets and personal data, by the name of what holds them, at any depth of a line. */
const SENSITIVE = /password|token|secret|authorization|cookie|email|phone|address|deliveryCode|^name$/i;
const CENSOR = '[redacted]';
const MAX_DEPTH = 6;

/** Names come from code, so they are few; looking one up costs a tenth of matching it. */
const known = new Map<string, boolean>();
const MAX_KNOWN = 1000;

/** The line without them. What is no plain object (an Error, a Date) is left to its serializer. */
export function redact(line: Record<string, unknown>, depth = 0): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key in line) {
    const value = line[key];
    const shown = isSensitive(key) && value !== undefined ? CENSOR : redactValue(value, depth + 1);
    if (shown === value) continue;
    copy ??= { ...line };
    copy[key] = shown;
  }
  return copy ?? line;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return CENSOR;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return isPlain(value) ? redact(value as Record<string, unknown>, depth) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isSensitive(key: string): boolean {
  let sensitive = known.get(key);
  if (sensitive === undefined) {
    sensitive = SENSITIVE.test(key);
    if (known.size < MAX_KNOWN) known.set(key, sensitive);
  }
  return sensitive;
}
