import { stat } from 'node:fs/promises';
import { EmbeddedDatabaseError } from './embedded-postgres.errors.js';
import { runBinary, type ServerAccount } from './run-binary.js';

const ACCOUNT_NAME = 'postgres';

/**
 * PostgreSQL refuses to run as root, so there it runs as the owner of the cluster, if there is one already, else as the
 * user postgres, made if missing. Any other user runs it as itself.
 */
export async function serverAccount(clusterDir: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const cluster = await stat(clusterDir).catch(() => undefined);
  if (cluster && cluster.uid !== 0) return { uid: cluster.uid, gid: cluster.gid };
  return (await lookUp()) ?? (await create());
}

async function lookUp(): Promise<ServerAccount | undefined> {
  const uid = await id('-u');
  const gid = await id('-g');
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

async function id(flag: '-u' | '-g'): Promise<number | undefined> {
  const { code, output } = await runBinary('id', [flag, ACCOUNT_NAME]);
  return code === 0 && /^\d+$/.test(output) ? Number(output) : undefined;
}

async function create(): Promise<ServerAccount> {
  const attempts: string[][] = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT_NAME],
    ['useradd', '--system', '--gid', ACCOUNT_NAME, '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT_NAME],
    ['adduser', '-S', '-D', '-H', '-s', '/sbin/nologin', ACCOUNT_NAME],
  ];
  const failures: string[] = [];
  for (const [program = '', ...args] of attempts) {
    const result = await runBinary(program, args).catch((error: Error) => ({ code: -1, output: error.message }));
    const account = await lookUp();
    if (account) return account;
    failures.push(`${program}: ${result.output}`);
  }
  throw new EmbeddedDatabaseError(
    `PostgreSQL can't run as root, and the user ${ACCOUNT_NAME} could not be created (${failures.join('; ')}). ` +
      'Create it, run Larder as an ordinary user, or set DATABASE_URL.',
  );
}
