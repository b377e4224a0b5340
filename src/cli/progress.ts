/** A bar on a terminal that shows how far a long command is. */

const width = 30;

/** @returns one line, without its end */
export function progressBar(done: number, all: number, what: string): string {
  const part = all <= 0 ? 1 : Math.min(1, done / all);
  const filled = Math.floor(part * width);
  const bar = `${'#'.repeat(filled)}${'-'.repeat(width - filled)}`;
  return `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %  ${done} of ${all} ${what}`;
}

/** Draws the bar over the one before, on the terminal that standard error is. */
export function showProgress(what: string): (done: number, all: number) => void {
  return (done, all) => {
    process.stderr.write(`\r${progressBar(done, all, what)}${done >= all ? '\n' : ''}`);
  };
}
