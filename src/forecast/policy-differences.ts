/** What differs between two policies, field by field, and whether each change is harsher or milder. Pure. */
import { formatDuration } from '../domain/duration.js';
import { effectiveRungs, type Ladder, type LadderOverride, withOverride } from '../domain/policy/ladder.js';
import type { Policy } from '../domain/policy/schema.js';
import { type Effect, effectOf, flattened, type Leaf } from './severity.js';

export interface Difference {
  /** Dotted path. `role "admin": ladder.revoke.after` for what a role makes of the ladder. */
  readonly field: string;
  /** As a policy file writes it; `-`: not there. */
  readonly before: string;
  readonly after: string;
  readonly effect: Effect;
}

/** @returns the differences, in the order of the policy's fields. Texts without an effect (`description`) are left out */
export function policyDifferences(before: Policy, after: Policy): Difference[] {
  const ladders = difference(laddersOf(before), laddersOf(after));
  const byPath = new Map(ladders.map((one) => [one.field, one]));
  const ofPeople = groupsOf(before, after).flatMap(({ name, from, to }) =>
    // What changes for everybody is said once.
    difference(from, to).flatMap((one) => {
      const general = byPath.get(one.field);
      const isGeneral = general?.before === one.before && general.after === one.after;
      return isGeneral ? [] : [{ ...one, field: `${name}: ${one.field}` }];
    }),
  );
  return [...ladders, ...ofPeople, ...difference(restOf(before), restOf(after))];
}

/** @returns one sentence */
export function inWords({ field, before, after, effect }: Difference): string {
  const change =
    before === '-' ? `is new: ${after}` : after === '-' ? `is gone (was ${before})` : `${before} → ${after}`;
  return `${field}: ${change} (${effect === 'other' ? 'neither harsher nor milder' : effect})`;
}

const laddersOf = ({ ladder }: Policy) => ({ ladder });

/** `allowShortDurations`, `id` and `description` do nothing to anybody. */
function restOf(policy: Policy): Partial<Policy> {
  const { id: _id, description: _text, allowShortDurations: _short, ladder: _ladder, ...rest } = policy;
  const { roles: _roles, unconfirmed: _unconfirmed, populations: _populations, ...others } = rest;
  return others;
}

interface Group {
  readonly name: string;
  readonly from: object;
  readonly to: object;
}

/** Roles, populations, and people without a confirmed address: what the whole ladder is for them. */
function groupsOf(before: Policy, after: Policy): Group[] {
  const roles = [...new Set([...Object.keys(before.roles), ...Object.keys(after.roles)])].sort();
  const groups: Group[] = [
    ...roles.map((role) => ({
      name: `role "${role}"`,
      from: ladderFor(before.ladder, before.roles[role]),
      to: ladderFor(after.ladder, after.roles[role]),
    })),
    ...populationsOf(before, after),
  ];
  if (before.unconfirmed === undefined && after.unconfirmed === undefined) return groups;
  const from = ladderFor(before.ladder, before.unconfirmed);
  return [...groups, { name: 'unconfirmed', from, to: ladderFor(after.ladder, after.unconfirmed) }];
}

/** Who is in no population of that name has the policy's own ladder. */
function populationsOf(before: Policy, after: Policy): Group[] {
  const names = [...new Set([...before.populations, ...after.populations].map(({ name }) => name))];
  const under = ({ ladder, populations }: Policy, wanted: string) => {
    const place = populations.findIndex(({ name }) => name === wanted);
    const found = populations[place];
    if (found === undefined) return ladderFor(ladder, undefined);
    const own = found.ladder === 'never' ? ladderFor(ladder, 'never') : ladderFor(found.ladder, undefined);
    return { ...own, when: found.when, place: `${place + 1}` };
  };
  return names.map((name) => ({
    name: `population "${name}"`,
    from: under(before, name),
    to: under(after, name),
  }));
}

function ladderFor(ladder: Ladder, override: LadderOverride | 'never' | undefined): object {
  if (override === 'never') return { ladder: 'never' };
  return { ladder: Object.fromEntries(effectiveRungs(override ? withOverride(ladder, override) : ladder)) };
}

function difference(before: object, after: object): Difference[] {
  const [from, to] = [flattened(before), flattened(after)];
  const exempted = exemption(from, to);
  if (exempted !== undefined) return [exempted];
  const fields = [...new Set([...from.keys(), ...to.keys()])];
  const isIn = (leaves: Map<string, Leaf>, part: string) =>
    fields.some((field) => field.startsWith(`${part}.`) && leaves.has(field));
  const parts = [...new Set(fields.flatMap((field) => wholePart.exec(field)?.[0] ?? []))].filter(
    (part) => isIn(from, part) !== isIn(to, part),
  );
  const wholes = parts.map((field): Difference => {
    const [before, after] = [wholeShown(from, field), wholeShown(to, field)];
    const effect = effectOf(field, before === '-' ? undefined : before, after === '-' ? undefined : after);
    return { field, before, after, effect };
  });
  const single = fields.filter((field) => !parts.some((part) => field.startsWith(`${part}.`)));
  return [...wholes, ...differencesOf(single, from, to)];
}

function differencesOf(
  fields: readonly string[],
  from: Map<string, Leaf>,
  to: Map<string, Leaf>,
): Difference[] {
  return fields.flatMap((field): Difference[] => {
    const [one, other] = [from.get(field), to.get(field)];
    const [shownBefore, shownAfter] = [shown(field, one), shown(field, other)];
    if (shownBefore === shownAfter) return [];
    return [{ field, before: shownBefore, after: shownAfter, effect: effectOf(field, one, other) }];
  });
}

/** A part that is there or not as a whole: that is one difference, not one for each of its fields. */
const wholePart = /^(ladder\.\w+|selfService\.\w+|tokens\.\w+|deletion\.export|sessions)(?=\.)/;

function wholeShown(leaves: Map<string, Leaf>, part: string): string {
  const after = leaves.get(`${part}.after`);
  if (typeof after === 'number') return `after ${formatDuration(after)}`;
  return [...leaves.keys()].some((field) => field.startsWith(`${part}.`)) ? 'there' : '-';
}

/** A ladder that begins or ends to apply is one difference, not one for each of its fields. */
function exemption(from: Map<string, Leaf>, to: Map<string, Leaf>): Difference | undefined {
  const [one, other] = [from, to].map((leaves) => (leaves.get('ladder') === 'never' ? 'never' : 'ladder'));
  if (one === undefined || other === undefined || one === other) return undefined;
  return { field: 'ladder', before: one, after: other, effect: effectOf('ladder', one, other) };
}

/** Fields with a number that is not a duration. */
const plainNumber = /(atMost|percent|percentFrom|operators|below|looks|times|attempts)$/;

function shown(field: string, leaf: Leaf): string {
  if (leaf === undefined) return '-';
  if (leaf === null) return 'none';
  if (typeof leaf === 'number') return numberShown(field, leaf);
  if (typeof leaf === 'string' || typeof leaf === 'boolean') return String(leaf);
  const members = leaf.map((one) => (typeof one === 'number' ? numberShown(field, one) : one));
  // The order of leads says something, and that of a set does not.
  return `[${(field.endsWith('notices') ? members : members.sort()).join(', ')}]`;
}

function numberShown(field: string, value: number): string {
  if (plainNumber.test(field)) return String(value);
  return value === 0 ? 'none' : formatDuration(value);
}
