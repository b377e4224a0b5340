/** Checks every ladder that a policy can come to: its own, those of its populations, and each under each override. Pure. */
import { type RungName, rungNames } from '../rungs.js';
import { checkLadder } from './checks.js';
import { type Issues, report } from './issues.js';
import { type Ladder, type LadderOverride, withOverride } from './ladder.js';
import { laddersOfPopulations } from './populations.js';
import type { Policy } from './schema.js';

type Path = (string | number)[];

interface Override {
  readonly path: string[];
  readonly values: LadderOverride;
}

export function checkLadders(policy: Policy, issues: Issues): void {
  const overrides = overridesOf(policy);
  const populations = laddersOfPopulations(policy.populations);
  for (const override of overrides) {
    checkRungsExist(policy, override, [policy.ladder, ...populations.map(({ ladder }) => ladder)], issues);
  }
  checkBase(policy, policy.ladder, ['ladder'], issues);
  const ofLadder = new Set(issues.map(({ path, message }) => JSON.stringify([path?.slice(1), message])));
  for (const { path, values } of overrides) {
    const own: Issues = [];
    checkLadder(policy, withOverride(policy.ladder, values), path, 'overridden', own);
    // Problems of the ladder itself are reported there, once.
    issues.push(
      ...own.filter(
        (issue) => !ofLadder.has(JSON.stringify([issue.path?.slice(path.length), issue.message])),
      ),
    );
  }
  for (const { index, ladder } of populations) {
    const path = ['populations', index, 'ladder'];
    const own: Issues = [];
    checkBase(policy, ladder, path, own);
    issues.push(...own);
    // An override that does not fit a sound ladder is named with it.
    if (own.length > 0) continue;
    for (const override of overrides) {
      const together: Issues = [];
      checkLadder(policy, withOverride(ladder, override.values), path, 'overridden', together);
      for (const issue of together) {
        issues.push({
          ...issue,
          message: `with ${override.path.join('.')}: ${issue.message}`,
        } as Issues[number]);
      }
    }
  }
}

function checkBase(policy: Policy, ladder: Ladder, path: Path, issues: Issues): void {
  if (rungNames.every((rung) => ladder[rung] === undefined)) {
    report(issues, policy, path, `has no rung. Add at least one of: ${rungNames.join(', ')}`);
  }
  checkLadder(policy, ladder, path, 'base', issues);
}

function overridesOf(policy: Policy): Override[] {
  return [
    ...Object.entries(policy.roles).flatMap(([role, values]) =>
      values === 'never' ? [] : [{ path: ['roles', role], values }],
    ),
    ...(policy.unconfirmed === undefined ? [] : [{ path: ['unconfirmed'], values: policy.unconfirmed }]),
  ];
}

/** A population may have fewer rungs, which an override then leaves out. */
function checkRungsExist(
  policy: Policy,
  { path, values }: Override,
  ladders: readonly Ladder[],
  issues: Issues,
) {
  const isThere = (rung: RungName) => ladders.some((ladder) => ladder[rung] !== undefined);
  for (const rung of rungNames) {
    if (values[rung] === undefined || isThere(rung)) continue;
    const message = `the ladder has no rung "${rung}" to override. Add it to the ladder`;
    report(issues, policy, [...path, rung], message);
  }
}
