import cliProgress from 'cli-progress';

const WITHOUT_TERMINAL_MS = 5000;

/** A bar on stderr; a line every five seconds where stderr is no terminal. */
export async function withProgress(
  title: string,
  total: number,
  work: (step: () => void) => Promise<void>,
): Promise<void> {
  if (total === 0) return;
  const bar = new cliProgress.SingleBar(
    {
      format: `${title.padEnd(10)} [{bar}] {value}/{total} in {duration_formatted}`,
      noTTYOutput: true,
      notTTYSchedule: WITHOUT_TERMINAL_MS,
      hideCursor: true,
    },
    cliProgress.Presets.rect,
  );
  bar.start(total, 0);
  try {
    await work(() => bar.increment());
  } finally {
    bar.stop();
  }
}
