/** Random numbers that a seed repeats, on every machine. Not for secrets. Pure. */

/** @returns a number in [0, 1) */
export type Random = () => number;

/**
 * The generator sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state.
 * @param name numbers of different names have nothing to do with each other
 */
export function randomOf(name: string): Random {
  let [a, b, c, counter] = hashed(name);
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // The first numbers show the hash.
  for (let turn = 0; turn < 12; turn += 1) next();
  return next;
}

/** Four numbers by FNV-1a, each from another start. */
function hashed(name: string): [number, number, number, number] {
  const from = (start: number) => {
    let hash = start;
    for (let index = 0; index < name.length; index += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    return hash ^ (hash >>> 15);
  };
  return [from(0x811c9dc5), from(0x2545f491), from(0x6c078965), 1];
}

/** The time to the next of events that come at an even pace. @returns as `mean` has it */
export function exponential(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean;
}
