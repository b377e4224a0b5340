/** Policies, plans and moments that the tests of the domain share. Reads the shipped policy files and nothing else. */
import { readFileSync } from 'node:fs';
import type { FoundIdentity } from '../../src/domain/lifecycle/assessment.js';
import { initialState, type LifecycleState } from '../../src/domain/lifecycle/state.js';
import { type Plan, type PolicySubject, planFor } from '../../src/domain/plan.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';

export const day = 86_400_000;
export const hour = 3_600_000;
/** When the person of the examples was last seen. */
export const epoch = Date.UTC(2020, 0, 1);
export const anna = '0f8fad5b-d9cb-469f-a165-70867728950e';

export const defaultText = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8');
export const demoText = readFileSync(new URL('../../policies/demo.yaml', import.meta.url), 'utf8');

export const defaultPolicy = parsePolicyFile(defaultText, 'policies/default.yaml');

/** The default policy without its jitter, so that days are exact. */
export const exactPolicy: Policy = { ...defaultPolicy, jitter: 0 };

const tail = 'recheck: 7d\nretry: {attempts: 3, firstAfter: 10s, longestAfter: 1h}\n';

/** A small policy from the lines of its ladder and whatever else it says. */
export function smallPolicy(ladder: string, more = ''): Policy {
  const indented = ladder.trim().replaceAll(/^ */gm, '  ');
  return parsePolicyFile(`id: small\nladder:\n${indented}\n${more}${tail}`, 'small.yaml');
}

export const subject: PolicySubject = { identityId: anna, schemaId: 'person', optedOut: false };

export function planOf(policy: Policy = exactPolicy, more: Partial<PolicySubject> = {}): Plan {
  return planFor(policy, { id: policy.id, version: 1, hash: 'f'.repeat(64) }, { ...subject, ...more });
}

export function enabled(more: Partial<FoundIdentity> = {}): FoundIdentity {
  return {
    state: 'active',
    stateChangedAt: epoch,
    createdAt: epoch,
    disabledByEngine: false,
    publishedStage: 'active',
    ...more,
  };
}

/** The lifecycle of a person last seen at {@link epoch}. */
export function absentState(more: Partial<LifecycleState> = {}): LifecycleState {
  return {
    ...initialState(anna, { id: 'default' }, epoch),
    activity: { human: epoch },
    baselineAt: epoch,
    known: true,
    ...more,
  };
}
