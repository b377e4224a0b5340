/** What the registry's advisories mean for this lock file. Pure. */
import { z } from 'zod';

/** The part of `npm audit --json` (report version 2) that is read here. */
const reportSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(
    z.string(),
    z.object({
      via: z.array(
        z.union([
          // The name of another package of the report, which has the advisory itself.
          z.string(),
          z.object({
            source: z.number(),
            name: z.string(),
            title: z.string(),
            url: z.string(),
            severity: z.enum(['info', 'low', 'moderate', 'high', 'critical']),
            range: z.string(),
          }),
        ]),
      ),
    }),
  ),
});

/** An advisory that is known and does not matter here, for a time. */
export const ignoredSchema = z.array(
  z.strictObject({
    /** As in the advisory's address: GHSA-xxxx-xxxx-xxxx. */
    id: z.string().regex(/^GHSA(-[0-9a-z]{4}){3}$/, 'is not the id of a GitHub advisory'),
    package: z.string().min(1),
    /** Why it can't be reached from here. */
    reason: z.string().min(20),
    /** Somebody looks again on this day at the latest. */
    until: z.iso.date(),
  }),
);
export type Ignored = z.infer<typeof ignoredSchema>;

export interface Judgement {
  /** What must be mended before this is released. */
  readonly failures: readonly string[];
  /** What is known and left alone, each with why. */
  readonly ignored: readonly string[];
}

/**
 * @param report what `npm audit --json` printed
 * @param today `2027-01-31`
 * @returns `undefined` where it is no report: the registry has no advisories, or did not answer
 */
export function judge(report: unknown, ignored: Ignored, today: string): Judgement | undefined {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) return undefined;
  const found = new Map(
    Object.values(parsed.data.vulnerabilities)
      .flatMap(({ via }) => via)
      .flatMap((one) =>
        typeof one === 'string' ? [] : [[one.url.split('/').at(-1) ?? one.url, one] as const],
      ),
  );
  const failures: string[] = [];
  const left: string[] = [];
  for (const [id, { name, range, severity, title }] of found) {
    const exception = ignored.find((one) => one.id === id && one.package === name);
    const what = `${id} ${severity} ${name} ${range}: ${title}`;
    if (exception === undefined) failures.push(what);
    else if (exception.until < today)
      failures.push(
        `${what} (was ignored until ${exception.until}: look again, then mend it or move the date)`,
      );
    else left.push(`${what} (ignored until ${exception.until}: ${exception.reason})`);
  }
  for (const { id, package: name } of ignored) {
    if (!found.has(id))
      failures.push(`${id} ${name} is ignored and not reported any more: take it off the list`);
  }
  return { failures, ignored: left };
}
