/**
 * The figures of the guards for an app's own Prometheus registry. It needs no library: the app hands in the `Gauge` and the registry of its
 * own `prom-client`, so there is no second one in the process.
 *
 * @example
 * ```ts
 * import { Gauge, register } from 'prom-client';
 * exposeGuards({ Gauge, registry: register }, { sessions: guard });
 * ```
 */

/** What a guard counts; `staleMs` is how old what it knows of ends and revocations is. */
export interface CountingGuard {
  counters(): { readonly staleMs: number; readonly unavailable: number };
}

interface GaugeOptions<Registry> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
  collect(this: LabelledGauge): void;
}

interface LabelledGauge {
  set(labels: Record<string, string>, value: number): void;
}

/** Of `prom-client`. */
export interface AppMetrics<Registry> {
  readonly Gauge: new (options: GaugeOptions<Registry>) => unknown;
  readonly registry: Registry;
}

/**
 * Offers `dormouse_guard_staleness_seconds` and `dormouse_guard_unavailable_answers`, read as the app's page is scraped. Staleness bounds
 * for how long a revocation may still be unknown to this instance; before the first reading it is `+Inf`.
 * @param guards by a name of your choice, which becomes the label `guard`: the session guard, the strategy of access tokens
 */
export function exposeGuards<Registry>(
  { Gauge, registry }: AppMetrics<Registry>,
  guards: Readonly<Record<string, CountingGuard>>,
): void {
  const gauge = (name: string, help: string, read: (guard: CountingGuard) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['guard'],
      registers: [registry],
      collect() {
        for (const [name, guard] of Object.entries(guards)) this.set({ guard: name }, read(guard));
      },
    });
  gauge(
    'dormouse_guard_staleness_seconds',
    'How old what this instance knows of ended sessions, tokens and revocations is.',
    (guard) => guard.counters().staleMs / 1_000,
  );
  gauge(
    'dormouse_guard_unavailable_answers',
    'Requests that this instance could not judge since it started.',
    (guard) => guard.counters().unavailable,
  );
}
