import cliProgress from 'cli-progress';
import type { Counts } from './import-run.js';

const WITHOUT_TERMINAL_MS = 5000;

/** How far a file is: a bar on stderr, or a line every five seconds where stderr is no terminal. */
export class Progress {
  private readonly bar: cliProgress.SingleBar | undefined;

  constructor(title: string, bytes: number, from: number, isShown: boolean) {
    if (!isShown) return;
    this.bar = new cliProgress.SingleBar(
      {
        format: `${title} [{bar}] {percentage} % in {duration_formatted}: {imported} imported, {present} there already, {rejected} lines rejected`,
        noTTYOutput: true,
        notTTYSchedule: WITHOUT_TERMINAL_MS,
        hideCursor: true,
      },
      cliProgress.Presets.rect,
    );
    this.bar.start(bytes, from, { imported: 0, present: 0, rejected: 0 });
  }

  at(bytes: number, counts: Counts): void {
    this.bar?.update(bytes, { ...counts });
  }

  stop(): void {
    this.bar?.stop();
  }
}
