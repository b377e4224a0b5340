/** A simulation: everybody is played, one after another, and counted. Pure but for where the people come from. */
import { dayMs } from '../domain/duration.js';
import { breakerRules } from '../domain/plan.js';
import type { Policy } from '../domain/policy/schema.js';
import { type TrippingDay, trippingDays } from '../preview/tally.js';
import { play } from './play.js';
import type { Player } from './player.js';
import { SimulationTally } from './tally.js';

/** Who is simulated, and on what it rests. */
export interface Cast {
  /** `live`, or the number of invented people. */
  readonly population: 'live' | number;
  /** How many there are. */
  readonly all: number;
  readonly players: Iterable<Player> | AsyncIterable<Player>;
  /** Base of the breaker's percentages. */
  readonly everybody: number;
  /** What the figures rest on, sentence by sentence. */
  readonly basis: readonly string[];
  /** Lifecycles whose identity Kratos does not know; final when everybody was played. */
  readonly missing?: () => number;
}

export interface SimulationRequest {
  /** As messages call it. */
  readonly name: string;
  readonly policy: Policy;
  readonly seed: number;
  readonly days: number;
  /** When it begins, epoch milliseconds. */
  readonly from: number;
  /** Part of the notices that bring somebody back who would not have come then; from 0 to 1. */
  readonly response: number;
  readonly onProgress?: (done: number, all: number) => void;
}

export interface Simulated extends Omit<SimulationRequest, 'onProgress'> {
  readonly population: Cast['population'];
  readonly basis: readonly string[];
  readonly missing: number;
  readonly tally: SimulationTally;
  readonly trips: readonly TrippingDay[];
}

/** Calls of `onProgress` come after so many people. */
const progressEvery = 500;

export async function simulate(
  { onProgress, ...request }: SimulationRequest,
  cast: Cast,
): Promise<Simulated> {
  const { policy, days, from, response } = request;
  const tally = new SimulationTally(from, days);
  const stretch = { from, until: from + days * dayMs - 1 };
  for await (const player of cast.players) {
    tally.closePerson(play(player, stretch, { share: response }, tally));
    if (tally.people % progressEvery === 0) onProgress?.(tally.people, cast.all);
  }
  onProgress?.(tally.people, tally.people);
  return {
    ...request,
    population: cast.population,
    basis: cast.basis,
    missing: cast.missing?.() ?? 0,
    tally,
    trips: trippingDays(tally.days, breakerRules(policy), cast.everybody),
  };
}
