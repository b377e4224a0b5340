/**
 * A population that nobody has: made of a seed, with the habits and kinds of accounts that are written here. It shows what
 * a policy does in an installation of a size; it says nothing about your people (`--population live` does). Pure.
 */
import { dayMs } from '../domain/duration.js';
import { initialState } from '../domain/lifecycle/state.js';
import { type PolicySubject, planFor } from '../domain/plan.js';
import type { Policy } from '../domain/policy/schema.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import type { MailFate } from '../forecast/deed.js';
import type { Habit, Leave, Player } from './player.js';
import { exponential, type Random, randomOf } from './random.js';

export interface Habits {
  readonly name: string;
  /** Of all people. The shares come to 1. */
  readonly share: number;
  /** How many days lie between two signs of life, on average. `null`: they left and never come again. */
  readonly everyDays: number | null;
}

// biome-ignore format: a table
export const habits: readonly Habits[] = [
  { name: 'nearly daily', share: 0.3, everyDays: 1.5 },
  { name: 'weekly', share: 0.35, everyDays: 7 },
  { name: 'monthly', share: 0.2, everyDays: 30 },
  { name: 'a few times a year', share: 0.1, everyDays: 120 },
  { name: 'left already', share: 0.05, everyDays: null },
];

/** Parts of the population, from 0 to 1. They overlap. */
export const parts = {
  /** Leave for good within a year, of those who come at all. */
  leaving: 0.08,
  serviceAccounts: 0.02,
  admins: 0.01,
  unconfirmed: 0.05,
  withoutAddress: 0.005,
  refusedMails: 0.01,
  /** Were created within the last year and never signed in. */
  withoutHistory: 0.03,
  /** Take one leave of two to six months that an operator notes as a hold. */
  onLeave: 0.02,
} as const;

const yearMs = 365 * dayMs;
/** Those who left did so within this time. Milliseconds. */
const leftWithinMs = 2 * yearMs;

export interface Invention {
  readonly policy: Policy;
  readonly reference: PolicyReference;
  readonly seed: number;
  /** The end of the time that is simulated, epoch milliseconds. */
  readonly until: number;
  /** Instead of {@link habits}. */
  readonly habits?: readonly Habits[];
}

export interface InventedPlayer extends Player {
  /** What the plan was made of. */
  readonly subject: PolicySubject;
}

/**
 * @param index the number of the person
 * @param now epoch milliseconds
 * @param identityId instead of an invented one
 */
export function inventedPlayer(
  invention: Invention,
  index: number,
  now: number,
  identityId = inventedId(invention.seed, index),
): InventedPlayer {
  const { policy, reference, seed, until } = invention;
  const random = randomOf(`${seed}/${index}`);
  const { everyDays } = chosen(invention.habits ?? habits, random());
  const subject = inventedSubject(identityId, random);
  const mailFate = fateOf(random());
  const hasHistory = random() >= parts.withoutHistory;
  const lastSeenAt = now - awayOf(hasHistory ? everyDays : undefined, random);
  const leavesAt =
    everyDays === null ? now : now + exponential(yearMs / -Math.log(1 - parts.leaving), random);
  const kind = subject.accountType === 'service' ? 'machine' : 'human';
  return {
    subject,
    life: {
      state: {
        ...initialState(identityId, { id: reference.id }, now),
        ...(hasHistory ? { activity: { [kind]: lastSeenAt } } : { baselineAt: lastSeenAt }),
        known: true,
      },
      plan: planFor(policy, reference, subject),
      identity: {
        state: 'active',
        stateChangedAt: lastSeenAt,
        createdAt: lastSeenAt,
        disabledByEngine: false,
        publishedStage: 'active',
      },
      mailFate,
    },
    habit: evenHabit(everyDays, leavesAt, random),
    kind,
    lastSeenAt,
    leaves: inventedLeaves(now, until, random),
    random,
  };
}

function chosen(all: readonly Habits[], value: number): Habits {
  let sum = 0;
  const found = all.find(({ share }) => {
    sum += share;
    return value < sum;
  });
  const one = found ?? all.at(-1);
  if (one === undefined) throw new Error('a population has habits');
  return one;
}

/** For signs at an even pace, the time since the last one is distributed as the time between two. */
function awayOf(everyDays: number | null | undefined, random: Random): number {
  if (everyDays === undefined) return random() * yearMs;
  return everyDays === null ? random() * leftWithinMs : exponential(everyDays * dayMs, random);
}

function evenHabit(everyDays: number | null, leavesAt: number, random: Random): Habit {
  if (everyDays === null) return () => Number.POSITIVE_INFINITY;
  return (now) => {
    const at = now + exponential(everyDays * dayMs, random);
    return at < leavesAt ? at : Number.POSITIVE_INFINITY;
  };
}

function inventedSubject(identityId: string, random: Random): PolicySubject {
  const [isService, isAdmin, isUnconfirmed] = [random(), random(), random()];
  return {
    identityId,
    schemaId: 'person',
    optedOut: false,
    ...(isService < parts.serviceAccounts && { accountType: 'service' }),
    ...(isAdmin < parts.admins && { adminRole: 'admin' }),
    ...(isUnconfirmed < parts.unconfirmed && { unconfirmed: true as const }),
  };
}

function fateOf(value: number): MailFate {
  if (value < parts.withoutAddress) return 'no-address';
  return value < parts.withoutAddress + parts.refusedMails ? 'rejected' : 'accepted';
}

function inventedLeaves(now: number, until: number, random: Random): Leave[] {
  const [takes, start, length] = [random(), random(), random()];
  if (takes >= parts.onLeave) return [];
  const from = Math.floor(now + start * (until - now));
  return [{ from, until: Math.floor(from + (60 + 120 * length) * dayMs) }];
}

/** In the form of a UUID: the spread of deadlines rests on it. */
function inventedId(seed: number, index: number): string {
  const part = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `${part(seed >>> 0, 8)}-0000-4000-8000-${part(index, 12)}`;
}
