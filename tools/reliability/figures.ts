/** What each part of the fault harness reports, and how the figures of a part that was tried in shares become one. Pure. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const figuresSchema = z.object({
  part: z.string(),
  /** What was tried, in words, with its size. Where `cases` is there, it goes before these words. */
  tried: z.string(),
  /** How many of the planned cases were tried. */
  cases: z
    .object({
      tried: count,
      planned: count,
      /** After which something did not hold, for whatever reason. */
      failed: count,
    })
    .optional(),
  steps: count,
  faults: count,
  wrongful: count,
  missed: count,
  stuck: count,
  duplicateMails: count,
  /** Places of personal data after deletion; absent where the part does not look. */
  leftovers: count.optional(),
  byKind: z.record(z.string(), count).optional(),
  /** What a reader must know of how it was run. */
  notes: z.array(z.string()),
  /** The day of the measurement, as 2026-11-27. Absent in figures of older builds. */
  measured: z.iso.date().optional(),
  /** Names the code that was measured, see `codeDigest`. */
  code: z.string().optional(),
  /** The figures are those of one share of the cases. */
  share: z.object({ nth: count, of: count }).optional(),
});
export type Figures = z.infer<typeof figuresSchema>;

/** Whether every case was tried and held: a sample, as DORMOUSE_FAULTS_CASES makes one, is no measurement that may be continued. */
export function isWhole({ cases }: Figures): boolean {
  return cases !== undefined && cases.tried === cases.planned && cases.failed === 0;
}

/** Faults that struck nothing prove nothing. A few never do: how often a step asks PostgreSQL depends on who else writes. */
const mayMiss = 1 / 100;

/** Whether so many faults struck that the figures say something. */
export function haveStruck({ cases, faults }: Figures): boolean {
  return cases === undefined || cases.tried - faults <= cases.tried * mayMiss;
}

/** What was tried, in words. */
export function triedOf({ cases, tried }: Figures): string {
  return cases === undefined ? tried : `${cases.tried} of ${cases.planned} ${tried}`;
}

/** @returns the shares that are missing, of as many as the newest figures name; empty where there are all */
export function missingShares(shares: readonly Figures[]): number[] {
  const of = Math.max(0, ...shares.map(({ share }) => share?.of ?? 0));
  const there = new Set(shares.flatMap(({ share }) => (share?.of === of ? [share.nth] : [])));
  return Array.from({ length: of }, (_none, index) => index + 1).filter((nth) => !there.has(nth));
}

/**
 * @param shares all shares of one part, each once
 * @returns the figures of the whole part. Its day is that of the oldest share; it names code only where all shares are of the same
 * @throws Error where a share is missing, or they do not belong together
 */
export function joined(shares: readonly Figures[]): Figures {
  const [first] = shares;
  if (first === undefined || missingShares(shares).length > 0) throw new Error('there are shares missing');
  const all = new Set(shares.map(({ part, share, tried }) => `${part} ${share?.of} ${tried}`));
  if (all.size > 1 || shares.length !== first.share?.of) {
    throw new Error(`${first.part}: the shares do not belong together`);
  }
  const sum = (of: (one: Figures) => number | undefined) =>
    shares.reduce((total, one) => total + (of(one) ?? 0), 0);
  const { share: _share, byKind: _kinds, code, measured: _measured, ...rest } = first;
  const days = shares.flatMap(({ measured }) => measured ?? []).sort();
  const isSame = code !== undefined && shares.every((one) => one.code === code);
  return {
    ...rest,
    ...(first.cases && {
      cases: {
        tried: sum(({ cases }) => cases?.tried),
        planned: sum(({ cases }) => cases?.planned),
        failed: sum(({ cases }) => cases?.failed),
      },
    }),
    steps: sum(({ steps }) => steps),
    faults: sum(({ faults }) => faults),
    wrongful: sum(({ wrongful }) => wrongful),
    missed: sum(({ missed }) => missed),
    stuck: sum(({ stuck }) => stuck),
    duplicateMails: sum(({ duplicateMails }) => duplicateMails),
    ...(first.leftovers !== undefined && { leftovers: sum(({ leftovers }) => leftovers) }),
    byKind: kindsOf(shares),
    notes: [...new Set(shares.flatMap(({ notes }) => notes))],
    ...(days[0] !== undefined && { measured: days[0] }),
    ...(isSame && { code }),
  };
}

function kindsOf(shares: readonly Figures[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { byKind } of shares) {
    for (const [kind, times] of Object.entries(byKind ?? {}))
      counts.set(kind, (counts.get(kind) ?? 0) + times);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
