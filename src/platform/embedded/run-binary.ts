import { spawn } from 'node:child_process';

/** Who PostgreSQL runs as; undefined: as we do. It refuses to run as root. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

export interface BinaryResult {
  code: number | null;
  output: string;
}

interface BinaryOptions {
  account?: ServerAccount;
  cwd?: string;
  env?: Record<string, string>;
  /** An open file that takes the output, for programs whose children keep it open after they have gone. */
  outputFd?: number;
}

/** Runs a program to its end. Its output, both streams, is returned; a program that can't be started rejects. */
export function runBinary(program: string, args: string[], options: BinaryOptions = {}): Promise<BinaryResult> {
  return new Promise((resolve, reject) => {
    const sink = options.outputFd ?? 'pipe';
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['ignore', sink, sink],
      windowsHide: true,
      ...options.account,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: output.trim() }));
  });
}
