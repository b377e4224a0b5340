/** Random lives: who is seen when and by which way, and what admins and operators do meanwhile. Seeded. Pure. */

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Doing =
  /** As client and gateway do it: recorded, and the workflow told where it must hear. */
  | { readonly kind: 'seen'; readonly by: 'human' | 'token' | 'machine' }
  /** The workflow is not told. */
  | { readonly kind: 'seen in PostgreSQL'; readonly by: 'human' | 'token' | 'machine' }
  /** Nothing but Kratos' session shows it. */
  | { readonly kind: 'signs in' }
  | { readonly kind: 'hold'; readonly days: number }
  | { readonly kind: 'release' }
  | { readonly kind: 'opt out' }
  | { readonly kind: 'disabled by an admin' }
  | { readonly kind: 'enabled by an admin' };

export interface Plan {
  readonly canSignIn: boolean;
  readonly doings: readonly { readonly day: number; readonly doing: Doing }[];
}

/** @param days how long the life is */
export function randomPlan(random: () => number, days: number): Plan {
  const canSignIn = random() < 0.1;
  const doings: { day: number; doing: Doing }[] = [];
  // Whoever is absent from some day on stays so, or the top of the ladder would never be reached.
  const lastSeen = random() < 0.5 ? random() * days * 0.3 : random() * days;
  for (let day = random() * 15; day < lastSeen; day += 1 + random() * 35) {
    doings.push({ day: Math.floor(day), doing: sign(random, canSignIn) });
  }
  if (random() < 0.3) doings.push({ day: Math.floor(random() * days), doing: decision(random) });
  if (doings.at(-1)?.doing.kind === 'hold' && random() < 0.5) {
    const from = doings.at(-1)?.day ?? 0;
    doings.push({
      day: Math.min(days - 1, from + 3 + Math.floor(random() * 10)),
      doing: { kind: 'release' },
    });
  }
  if (doings.at(-1)?.doing.kind === 'disabled by an admin' && random() < 0.5) {
    const from = doings.at(-1)?.day ?? 0;
    doings.push({ day: Math.min(days - 1, from + 10), doing: { kind: 'enabled by an admin' } });
  }
  // One thing a day.
  return { canSignIn, doings: [...new Map(doings.map((planned) => [planned.day, planned])).values()] };
}

function sign(random: () => number, canSignIn: boolean): Doing {
  if (canSignIn && random() < 0.4) return { kind: 'signs in' };
  const draw = random();
  const by = draw < 0.6 ? 'human' : draw < 0.85 ? 'token' : 'machine';
  return { kind: random() < 0.5 ? 'seen' : 'seen in PostgreSQL', by };
}

function decision(random: () => number): Doing {
  const draw = random();
  if (draw < 0.5) return { kind: 'hold', days: 10 + Math.floor(random() * 40) };
  return draw < 0.75 ? { kind: 'opt out' } : { kind: 'disabled by an admin' };
}
