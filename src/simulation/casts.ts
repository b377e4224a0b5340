/** Who is simulated: invented people, or the real ones as PostgreSQL and Kratos have them. */
import { population } from '../breaker/grants-table.js';
import { dayMs } from '../domain/duration.js';
import { type Plan, planFor } from '../domain/plan.js';
import { type LatestSigns, latestOf, type SignKind, signKinds } from '../domain/sign-of-life.js';
import { lifeOf } from '../forecast/life-of.js';
import { PolicyReader, policyHash } from '../policies/policies-table.js';
import { type Member, type PeopleDependencies, readPeople } from '../preview/people.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { countStandingsUnder } from '../standings/standings-table.js';
import { type Gaps, gapsOf } from './gaps.js';
import { habits, inventedPlayer, parts } from './invented.js';
import { readLastSeen } from './last-seen-query.js';
import type { Player } from './player.js';
import { randomOf } from './random.js';
import type { Cast, SimulationRequest } from './run.js';

type Request = Pick<SimulationRequest, 'policy' | 'seed' | 'days' | 'from'>;

const percent = (part: number) => `${Number((100 * part).toFixed(1))} %`;

export function inventedCast(count: number, { policy, seed, days, from }: Request): Cast {
  const reference = { id: policy.id, version: 1, hash: '' };
  const invention = { policy, reference, seed, until: from + days * dayMs };
  function* players(): Generator<Player> {
    for (let index = 0; index < count; index += 1) yield inventedPlayer(invention, index, from);
  }
  const ways = habits.map(({ name, share }) => `${percent(share)} ${name}`).join(', ');
  return {
    population: count,
    all: count,
    players: players(),
    everybody: count,
    basis: [
      `Invented people, who are enrolled on day 0: ${ways}; ${percent(parts.leaving)} of those who come leave for good within a year.`,
      `${percent(parts.serviceAccounts)} are service accounts, ${percent(parts.admins)} admins, ${percent(parts.unconfirmed)} without a confirmed address, ${percent(parts.withoutHistory)} never signed in, ${percent(parts.onLeave)} take a leave that is noted as a hold; ${percent(parts.withoutAddress)} have no address, and the mails of ${percent(parts.refusedMails)} are refused.`,
    ],
  };
}

/** Fewer people say little about how long people stay away. */
const fewPeople = 500;

/**
 * @param policyId whose people: those who follow this policy
 * @throws UnknownPolicyError, AlteredPolicyError for the version in force; InvalidRequestError where nobody follows it
 */
export async function liveCast(
  sources: PeopleDependencies,
  policyId: string,
  request: Request,
): Promise<Cast> {
  const { pool } = sources;
  const inForce = await new PolicyReader(pool).read(policyId);
  const [all, everybody, lastSeen] = await Promise.all([
    countStandingsUnder(pool, policyId),
    population(pool),
    readLastSeen(pool, policyId, request.from),
  ]);
  if (all === 0) {
    throw new InvalidRequestError(
      `policyId: nobody follows "${policyId}". Name the policy that they follow (--policy), or simulate invented people: --population 10000`,
    );
  }
  const deletion = inForce.policy.ladder.delete;
  const gaps = gapsOf(lastSeen, deletion === undefined ? undefined : deletion.after / dayMs);
  let missing = 0;
  const { policy } = request;
  const reference = {
    id: policyId,
    version: inForce.reference.version + 1,
    hash: policyHash(request.policy.id),
  };
  async function* players(): AsyncGenerator<Player> {
    for await (const page of readPeople(sources, policyId)) {
      missing += page.missing;
      for (const member of page.members) {
        const planInForce = planFor(inForce.policy, inForce.reference, member.subject);
        const plan = planFor(policy, reference, member.subject);
        yield livePlayer(member, { plan, planInForce, gaps }, request);
      }
    }
  }
  return {
    population: 'live',
    all,
    players: players(),
    everybody,
    missing: () => missing,
    basis: basisOf(gaps, all, lastSeen.length),
  };
}

function basisOf(gaps: Gaps, all: number, oldest: number): string[] {
  const shares = [7, 30, 90, 365].map((days) => `${days} days ${percent(gaps.lastingAtLeast(days))}`);
  return [
    `How long people stay away is estimated from when ${gaps.people} of ${all} people were seen last. Absences that last at least so long: ${shares.join(', ')}. The longest of now is of ${oldest} days: where the history of signs of life is not older, the figures are too mild.`,
    ...(gaps.people < fewPeople
      ? [
          `That is few: below ${fewPeople} people the estimate is coarse, and another seed gives other figures.`,
        ]
      : []),
  ];
}

interface Plans {
  readonly plan: Plan;
  readonly planInForce: Plan;
  readonly gaps: Gaps;
}

function livePlayer({ known }: Member, { plan, planInForce, gaps }: Plans, { seed, from }: Request): Player {
  const life = lifeOf({ ...known, planInForce }, plan, from);
  const random = randomOf(`${seed}/${known.standing.identityId}`);
  return {
    life,
    kind: usualKind(life.state.activity),
    lastSeenAt: latestOf(life.state.activity, signKinds) ?? Math.min(from, known.identity.createdAt),
    habit: (now, lastSeenAt) => {
      const at = lastSeenAt + gaps.draw(now - lastSeenAt, random);
      // A sign of life in the same millisecond would be no later one.
      return Math.max(at, now + 1);
    },
    leaves: [],
    random,
  };
}

/** The kind of the latest sign of life. */
function usualKind(activity: LatestSigns): SignKind {
  const latest = latestOf(activity, signKinds);
  return signKinds.find((kind) => latest !== undefined && activity[kind] === latest) ?? 'human';
}
