import argon2 from 'argon2';

/** argon2id with OWASP's minimum (19 MiB, 2 passes): about 25 ms, off the event loop. */
const OPTIONS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Verified against when there is no such account, so that a wrong e-mail takes as long as a wrong password. */
const NOBODY = argon2.hash('nobody-has-this-password', OPTIONS);

export async function hashPassword(password: string): Promise<string> {
  return argon2.hash(password, OPTIONS);
}

export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await argon2.verify(passwordHash ?? (await NOBODY), password);
  return matches && passwordHash !== undefined;
}
