/** Whether a change of one field of a policy is harder on people or easier. Pure. */

/**
 * `harsher`: somebody may be reached earlier, more often, or with less warning or protection. `milder`: the reverse.
 * `other`: neither, or it depends on the person.
 */
export type Effect = 'harsher' | 'milder' | 'other';

/** A value as {@link flattened} gives it. `undefined`: the field is not there. */
export type Leaf = string | number | boolean | null | readonly (string | number)[] | undefined;

type Judge = (before: Leaf, after: Leaf) => Effect;

const turned = (effect: Effect): Effect =>
  effect === 'harsher' ? 'milder' : effect === 'milder' ? 'harsher' : 'other';

/** No limit is the highest value: `null` in sessions, `none` in the breaker. */
const numberOf = (leaf: Leaf): number | undefined => {
  if (leaf === null || leaf === 'none') return Number.POSITIVE_INFINITY;
  return typeof leaf === 'number' ? leaf : undefined;
};

const lessIsHarsher: Judge = (before, after) => {
  const [from, to] = [numberOf(before), numberOf(after)];
  if (from === undefined || to === undefined || from === to) return 'other';
  return to < from ? 'harsher' : 'milder';
};
const moreIsHarsher: Judge = (before, after) => turned(lessIsHarsher(before, after));
/** A field that limits people only where it is there. */
const limitsWhereThere =
  (judge: Judge): Judge =>
  (before, after) => {
    if (before === undefined) return 'harsher';
    return after === undefined ? 'milder' : judge(before, after);
  };
/** A field that protects people only where it is there. */
const protectsWhereThere =
  (judge: Judge): Judge =>
  (before, after) =>
    turned(limitsWhereThere((one, other) => turned(judge(one, other)))(before, after));

const listOf = (leaf: Leaf): readonly (string | number)[] => (Array.isArray(leaf) ? leaf : []);

/** A set whose members protect somebody: fewer are harsher. A swap is neither. */
const membersProtect: Judge = (before, after) => {
  const [from, to] = [listOf(before), listOf(after)];
  const isGone = from.some((one) => !to.includes(one));
  const isNew = to.some((one) => !from.includes(one));
  if (isGone === isNew) return 'other';
  return isGone ? 'harsher' : 'milder';
};
const membersLimit: Judge = (before, after) => turned(membersProtect(before, after));

/** Leads of notices: fewer, or a first one that comes later, leave less time. */
const leads: Judge = (before, after) => {
  const [from, to] = [listOf(before), listOf(after)];
  const byCount = lessIsHarsher(from.length, to.length);
  const byLead = lessIsHarsher(from[0] ?? 0, to[0] ?? 0);
  if (byCount === 'other' || byLead === 'other' || byCount === byLead)
    return byCount === 'other' ? byLead : byCount;
  return 'other';
};

/** The second value is the harsher one. */
const order =
  (...[mild, harsh]: [Leaf, Leaf]): Judge =>
  (before, after) => {
    if (before === mild && after === harsh) return 'harsher';
    return before === harsh && after === mild ? 'milder' : 'other';
  };
const neither: Judge = () => 'other';

/** The first pattern that fits a field judges it. Fields are dotted paths of the policy. */
const judges: readonly (readonly [RegExp, Judge])[] = [
  [/^ladder\.\w+$/, limitsWhereThere(neither)],
  [/^ladder\.\w+\.after$/, lessIsHarsher],
  [/^ladder\.\w+\.notices$/, leads],
  [/^ladder\.\w+\.noticeFloor$/, lessIsHarsher],
  [/^ladder\.\w+\.withoutNotice$/, order('wait', 'proceed')],
  [/^ladder\.\w+\.mailAfter$/, order(true, false)],
  [/keepsAlive$/, membersProtect],
  [/^(accountTypes\.|ladder$)/, order('never', 'ladder')],
  [/^honourOptOut$/, order(true, false)],
  [/^exclusions\./, membersProtect],
  [/^jitter$/, lessIsHarsher],
  [/^breaker\.(limits\..*|percentFrom|clockTolerance)$/, moreIsHarsher],
  [/^breaker\.(window|release\.operators)$/, lessIsHarsher],
  [/^breaker\.stall\.below$/, protectsWhereThere(lessIsHarsher)],
  [/^breaker\.stall$/, order(undefined, 'off')],
  [/^absence\./, lessIsHarsher],
  // Left out it has a default, which depends on the ladder.
  [/^deletion\.coolDown$/, lessIsHarsher],
  [/^deletion\.action$/, order('anonymise', 'delete')],
  [/^deletion\.refuseIdentifiersFor$/, limitsWhereThere(moreIsHarsher)],
  [/^deletion\.export$/, protectsWhereThere(neither)],
  [/^selfService\.reactivation\.exceptRoles$/, membersLimit],
  [/^selfService\.keep\.rungs$/, membersProtect],
  [/^selfService\.\w+$/, protectsWhereThere(neither)],
  [/^selfService\./, lessIsHarsher],
  [/^(sessions|tokens\.\w+)$/, limitsWhereThere(neither)],
  [
    /^sessions\.(absolute|idle|routes\..*|devices\..*|roles\..*|assurance\..*)$/,
    limitsWhereThere(lessIsHarsher),
  ],
  [/^sessions\.stepUp\.[^ ]*maxAge$/, limitsWhereThere(lessIsHarsher)],
  [/^sessions\.(warnBefore|lease\.atMost)$/, lessIsHarsher],
  [/^sessions\.whenUnavailable/, order('open', 'refuse')],
];

/** @param field a dotted path. @returns how the change weighs */
export function effectOf(field: string, before: Leaf, after: Leaf): Effect {
  return judges.find(([pattern]) => pattern.test(field))?.[1](before, after) ?? 'other';
}

/** Every value of a policy's part by its dotted path. Lists of objects count by their `id`. */
export function flattened(value: unknown, path = ''): Map<string, Leaf> {
  if (Array.isArray(value)) return new Map([[path, value.map(memberOf)]]);
  if (typeof value !== 'object' || value === null) return new Map([[path, value as Leaf]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [
      ...flattened(inner, path === '' ? key : `${path}.${key}`),
    ]),
  );
}

function memberOf(member: unknown): string | number {
  if (typeof member === 'string' || typeof member === 'number') return member;
  const id = typeof member === 'object' && member !== null && 'id' in member ? member.id : undefined;
  return typeof id === 'string' ? id : JSON.stringify(member);
}
