/** Whether a process can do its work now, and what is in the way. The answer names causes of this build and no foreign text. */
import { within } from './shared-check.js';

/** Ready: `undefined`. Otherwise one sentence for an operator, without secrets. */
export type ReadinessCheck = () => Promise<string | undefined>;

export interface Readiness {
  readonly ready: boolean;
  /** What is in the way, by check. */
  readonly causes: Readonly<Record<string, string>>;
  /** What works less well meanwhile, though the process does its work. */
  readonly degraded: Readonly<Record<string, string>>;
}

const startingCause = 'is still starting: keys, policy and connections are not loaded yet';

function notReady(cause: string): Readiness {
  return { ready: false, causes: { process: cause }, degraded: {} };
}

/** The checks of a process. Until `begun`, it is not ready: what it needs is being loaded. */
export class ReadinessChecks {
  private readonly checks = new Map<string, { readonly check: ReadinessCheck; readonly isNeeded: boolean }>();
  private hasBegun = false;
  private isStopping = false;

  /** @param timeoutMs how long one check may take */
  constructor(private readonly timeoutMs = 2_000) {}

  /** @param isNeeded `false`: the process does its work without it, and only says so */
  add(name: string, check: ReadinessCheck, isNeeded = true): void {
    this.checks.set(name, { check, isNeeded });
  }

  /** Everything that the process needs was loaded. */
  begun(): void {
    this.hasBegun = true;
  }

  /** The process ends: nothing new should be sent to it. */
  stopping(): void {
    this.isStopping = true;
  }

  /** Never rejects. */
  async read(): Promise<Readiness> {
    // guard: readiness: a process that ends gets no work
    if (this.isStopping) return notReady('is shutting down');
    // guard: readiness: a process that is starting gets no work
    if (!this.hasBegun) return notReady(startingCause);
    const answers = await Promise.all(
      [...this.checks].map(async ([name, { check, isNeeded }]) => ({
        name,
        isNeeded,
        cause: await this.ask(name, check),
      })),
    );
    const failed = answers.flatMap(({ name, isNeeded, cause }) =>
      cause === undefined ? [] : [{ name, isNeeded, cause }],
    );
    const among = (needed: boolean) =>
      Object.fromEntries(
        failed.filter(({ isNeeded }) => isNeeded === needed).map(({ name, cause }) => [name, cause]),
      );
    const causes = among(true);
    return { ready: Object.keys(causes).length === 0, causes, degraded: among(false) };
  }

  /** What an outside system says may hold anything, so only its kind is passed on. */
  private async ask(name: string, check: ReadinessCheck): Promise<string | undefined> {
    // guard: readiness: a foreign error is not repeated to whoever asks
    try {
      return await within(this.timeoutMs, check());
    } catch {
      return `did not answer within ${this.timeoutMs} ms, or with an error: look at the log and at ${name}`;
    }
  }
}
