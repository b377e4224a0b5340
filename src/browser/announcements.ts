/** When the time that is left is spoken: sparingly, at most five times in two minutes. */

const below = [60, 40, 20, 10];

/**
 * @param secondsBefore at the last look; `undefined`: the warning has just opened
 * @returns whether to speak now
 */
export function isSpoken(secondsLeft: number, secondsBefore: number | undefined): boolean {
  if (secondsBefore === undefined) return true;
  if (secondsLeft >= secondsBefore) return false;
  if (secondsLeft > 60) return Math.ceil(secondsLeft / 60) < Math.ceil(secondsBefore / 60);
  return below.some((mark) => secondsLeft <= mark && secondsBefore > mark);
}
