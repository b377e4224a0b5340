/**
 * Absence: Kratos no longer knows an identity that it knew. One answer is no proof: a wrong address, an empty
 * or restored Kratos, and a gateway answer the same. So nothing is forgotten before several looks over some
 * time, and a grace period. Pure.
 */

/**
 * What a look that did not find the identity proves. `witnessed`: the same Kratos as before answered for
 * other identities that are known to exist. `none`: no other identity is known. `doubted`: other identities
 * are missing too, or are not the same as before.
 */
export type AbsenceControl = 'witnessed' | 'none' | 'doubted';

/** What was read about an identity that Kratos does not know. */
export interface Absence {
  readonly control: AbsenceControl;
  /** The reason for doubt. */
  readonly why?: string;
  /** Whether PostgreSQL has a lifecycle of the identity that has not ended. */
  readonly wasKnown: boolean;
  /** An operator's confirmation of the absence. */
  readonly confirmation?: AbsenceConfirmation;
}

export interface AbsenceConfirmation {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Buried at once. */
  readonly withoutGrace: boolean;
}

/** How certain an absence is. Times in epoch milliseconds. */
export interface Missing {
  /** The first look that did not find it. */
  readonly since: number;
  /** Looks that count: each with a control, and at a distance from the look before. */
  readonly looks: number;
  readonly firstLookAt?: number;
  readonly lastLookAt?: number;
  /** Since when there were enough looks, or an operator confirmed the absence. */
  readonly confirmedAt?: number;
  readonly withoutGrace?: true;
  /** Why the latest look proves nothing. */
  readonly doubt?: string;
}

export interface AbsenceRules {
  readonly looks: number;
  /** Least time between the first and the last look. Milliseconds. */
  readonly overMs: number;
  /** Time from the confirmation until the burial. Milliseconds. */
  readonly graceMs: number;
}

/** Defaults for a plan of an older build. */
const usualRules: AbsenceRules = { looks: 3, overMs: 86_400_000, graceMs: 30 * 86_400_000 };
/**
 * How soon a look that proved nothing is repeated: the first delay, then a share of the
 * time that the doubt has lasted.
 */
const doubtedAgainMs = 3_600_000;
const doubtedAgainPart = 0.1;

export function absenceRulesOf({ absence = usualRules }: { readonly absence?: AbsenceRules }): AbsenceRules {
  return absence;
}

const spacingMs = ({ looks, overMs }: AbsenceRules): number => Math.ceil(overMs / Math.max(1, looks - 1));

/** Adds one more look. @param before absent: the look before found the identity */
export function withAbsentLook(
  before: Missing | undefined,
  absence: Absence,
  rules: AbsenceRules,
  now: number,
): Missing {
  const { doubt: _former, ...missing } = before ?? { since: now, looks: 0 };
  const { confirmation } = absence;
  // guard: absence: an operator’s word from before does not count
  if (confirmation !== undefined && confirmation.at >= missing.since) {
    return {
      ...missing,
      confirmedAt: missing.confirmedAt ?? now,
      ...(confirmation.withoutGrace && { withoutGrace: true }),
    };
  }
  // guard: absence: a look without a control counts for nothing
  if (absence.control !== 'witnessed') {
    return {
      ...missing,
      doubt: absence.why ?? 'nobody else is known who could show that it is the same Kratos',
    };
  }
  // guard: absence: looks keep a distance
  if (missing.lastLookAt !== undefined && now < missing.lastLookAt + spacingMs(rules)) return missing;
  const counted = {
    ...missing,
    looks: missing.looks + 1,
    firstLookAt: missing.firstLookAt ?? now,
    lastLookAt: now,
  };
  const isCertain = counted.looks >= rules.looks && now - counted.firstLookAt >= rules.overMs;
  return isCertain && counted.confirmedAt === undefined ? { ...counted, confirmedAt: now } : counted;
}

/**
 * @returns when the identity may be buried, epoch milliseconds; `undefined` while its absence is not certain
 */
export function burialAt(missing: Missing, { graceMs }: AbsenceRules): number | undefined {
  if (missing.confirmedAt === undefined) return undefined;
  return missing.confirmedAt + (missing.withoutGrace ? 0 : graceMs);
}

/**
 * @param recheckMs how often a block is checked again.
 * @returns when Kratos is asked again, epoch milliseconds
 */
export function absentLookAt(missing: Missing, rules: AbsenceRules, recheckMs: number, now: number): number {
  const buryAt = burialAt(missing, rules);
  if (missing.doubt !== undefined) {
    const pauseMs = Math.max(doubtedAgainMs, Math.round((now - missing.since) * doubtedAgainPart));
    return now + Math.min(recheckMs, pauseMs);
  }
  if (buryAt !== undefined) return Math.min(now + recheckMs, Math.max(buryAt, now + 1));
  return Math.max(now + 1, (missing.lastLookAt ?? now) + spacingMs(rules));
}

/** Part of a sentence for operators: since when, how certain, and what follows. */
export function whyMissing(missing: Missing, rules: AbsenceRules): string {
  const at = (time: number) => new Date(time).toISOString();
  const buryAt = burialAt(missing, rules);
  const certainty =
    buryAt === undefined
      ? `Kratos did not know it at ${missing.looks} of ${rules.looks} looks`
      : `it is taken for deleted elsewhere, and forgotten from ${at(buryAt)} on`;
  const doubt = missing.doubt === undefined ? '' : `; the latest look says nothing: ${missing.doubt}`;
  return `missing since ${at(missing.since)}; ${certainty}${doubt}`;
}
