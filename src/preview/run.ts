/** A preview: every person who follows a policy, under the one in force and under the one that is previewed. Writes nothing. */
import { population } from '../breaker/grants-table.js';
import { dayMs } from '../domain/duration.js';
import { breakerRules } from '../domain/plan.js';
import type { Policy } from '../domain/policy/schema.js';
import { PolicyReader, policyHash } from '../policies/policies-table.js';
import { countStandingsUnder } from '../standings/standings-table.js';
import { type Answer, answerOf, previewHash } from './answer.js';
import { type Comparison, compare } from './comparison.js';
import { type PeopleDependencies, readPeople } from './people.js';
import { horizonDays, Tally, type TrippingDay, trippingDays } from './tally.js';

export interface PreviewRequest {
  /** The policy that is previewed, and its exact text. */
  readonly policy: Policy;
  readonly text: string;
  /** Whose people are asked: those who follow this policy. */
  readonly policyId: string;
  /** When everybody is looked at, epoch milliseconds. */
  readonly now: number;
  /** Is told each person. */
  readonly onPerson?: (comparison: Comparison) => void;
  /** Is told from time to time how many people were compared, and how many there are. */
  readonly onProgress?: (done: number, all: number) => void;
}

export interface Preview {
  readonly policyId: string;
  /** The version in force that it is compared with, as `default@3`. */
  readonly inForce: string;
  readonly now: number;
  readonly tally: Tally;
  readonly answer: Answer;
  /** Names policy and answer. */
  readonly hash: string;
  /** SHA-256 of the text. */
  readonly policyHash: string;
  readonly tripsBefore: readonly TrippingDay[];
  readonly tripsAfter: readonly TrippingDay[];
}

/** @throws UnknownPolicyError, AlteredPolicyError for the policy in force, and what reading Kratos throws */
export async function runPreview(deps: PeopleDependencies, request: PreviewRequest): Promise<Preview> {
  const { policy, text, policyId, now, onPerson, onProgress } = request;
  const before = await new PolicyReader(deps.pool).read(policyId);
  const reference = { id: policyId, version: before.reference.version + 1, hash: policyHash(text) };
  const two = { before, after: { policy, reference } };
  const [all, everybody] = await Promise.all([
    countStandingsUnder(deps.pool, policyId),
    population(deps.pool),
  ]);
  const tally = new Tally(now);
  for await (const { members, missing, unreadable } of readPeople(deps, policyId)) {
    tally.missing += missing;
    tally.unreadable += unreadable;
    for (const member of members) {
      const comparison = compare(member, two, now, now + horizonDays * dayMs);
      tally.add(comparison);
      onPerson?.(comparison);
    }
    onProgress?.(tally.people + tally.missing + tally.unreadable, all);
  }
  const answer = answerOf(tally);
  return {
    policyId,
    inForce: `${policyId}@${before.reference.version}`,
    now,
    tally,
    answer,
    hash: previewHash(reference.hash, before.reference.hash, answer),
    policyHash: reference.hash,
    tripsBefore: trippingDays(tally.before.days, breakerRules(before.policy), everybody),
    tripsAfter: trippingDays(tally.after.days, breakerRules(policy), everybody),
  };
}
