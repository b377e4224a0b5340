/**
 * Absence: Kratos does not know an identity that it knew. One answer is no proof, as a wrong address, an empty or restored
 * Kratos, and a gateway give the same one; so nothing is forgotten before several looks over a time, and a grace period. Pure.
 */

/**
 * What a look that did not find the identity is worth. `witnessed`: the same Kratos as before answered for others that are known
 * to be there. `none`: nobody else is known. `doubted`: others are missing, too, or are not who they were.
 */
export type AbsenceControl = 'witnessed' | 'none' | 'doubted';

/** What was read of an identity that Kratos does not know. */
export interface Absence {
  readonly control: AbsenceControl;
  /** What makes it doubtful. */
  readonly why?: string;
  /** Whether PostgreSQL has a lifecycle of it that was not ended. */
  readonly wasKnown: boolean;
  /** An operator's word for it. */
  readonly confirmation?: AbsenceConfirmation;
}

export interface AbsenceConfirmation {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Buried at once. */
  readonly withoutGrace: boolean;
}

/** How far an absence is certain. Times in epoch milliseconds. */
export interface Missing {
  /** The first look that did not find it. */
  readonly since: number;
  /** Looks that count: each with a control, and at a distance from the one before. */
  readonly looks: number;
  readonly firstLookAt?: number;
  readonly lastLookAt?: number;
  /** Since when there were enough of them, or an operator said so. */
  readonly confirmedAt?: number;
  readonly withoutGrace?: true;
  /** Why the latest look says nothing. */
  readonly doubt?: string;
}

export interface AbsenceRules {
  readonly looks: number;
  /** Least time between the first and the last of them. Milliseconds. */
  readonly overMs: number;
  /** From then until the identity is buried. Milliseconds. */
  readonly graceMs: number;
}

/** Where a plan of an older build does not say. */
const usualRules: AbsenceRules = { looks: 3, overMs: 86_400_000, graceMs: 30 * 86_400_000 };
/** How soon a look that says nothing is repeated: at first, and as a part of the time that it lasts already. */
const doubtedAgainMs = 3_600_000;
const doubtedAgainPart = 0.1;

export function absenceRulesOf({ absence = usualRules }: { readonly absence?: AbsenceRules }): AbsenceRules {
  return absence;
}

const spacingMs = ({ looks, overMs }: AbsenceRules): number => Math.ceil(overMs / Math.max(1, looks - 1));

/** Takes in one more look. @param before absent: it was there at the look before */
export function withAbsentLook(
  before: Missing | undefined,
  absence: Absence,
  rules: AbsenceRules,
  now: number,
): Missing {
  const { doubt: _former, ...missing } = before ?? { since: now, looks: 0 };
  const { confirmation } = absence;
  if (confirmation !== undefined && confirmation.at >= missing.since) {
    return {
      ...missing,
      confirmedAt: missing.confirmedAt ?? now,
      ...(confirmation.withoutGrace && { withoutGrace: true }),
    };
  }
  if (absence.control !== 'witnessed') {
    return {
      ...missing,
      doubt: absence.why ?? 'nobody else is known who could show that it is the same Kratos',
    };
  }
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

/** @returns when it may be buried, epoch milliseconds; `undefined` while its absence is not certain */
export function burialAt(missing: Missing, { graceMs }: AbsenceRules): number | undefined {
  if (missing.confirmedAt === undefined) return undefined;
  return missing.confirmedAt + (missing.withoutGrace ? 0 : graceMs);
}

/** @param recheckMs how often what blocks is looked at. @returns when Kratos is asked again, epoch milliseconds */
export function absentLookAt(missing: Missing, rules: AbsenceRules, recheckMs: number, now: number): number {
  const buryAt = burialAt(missing, rules);
  if (missing.doubt !== undefined) {
    const pauseMs = Math.max(doubtedAgainMs, Math.round((now - missing.since) * doubtedAgainPart));
    return now + Math.min(recheckMs, pauseMs);
  }
  if (buryAt !== undefined) return Math.min(now + recheckMs, Math.max(buryAt, now + 1));
  return Math.max(now + 1, (missing.lastLookAt ?? now) + spacingMs(rules));
}

/** One sentence part for operators: since when, how certain, and what comes of it. */
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
