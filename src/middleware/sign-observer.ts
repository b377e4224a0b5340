/**
 * Inspects requests after they were answered, and notes the identities that made them. Never delays or fails
 * a request: an app has nothing to wait for or to catch.
 */
import type { IncomingHttpHeaders } from 'node:http';
import {
  type ActivityCounters,
  type ActivityOptions,
  backgroundHeader,
  checkOptions,
  type VerifiedIdentity,
} from './options.js';
import { createIdentityVerifier, type PendingVerification } from './verified-identity.js';

export interface AnsweredRequest<Request> {
  readonly request: Request;
  readonly headers: IncomingHttpHeaders;
  /** Status of the complete response. */
  readonly status: number;
  /** When the request arrived, epoch milliseconds: the time of the person's action. */
  readonly at: number;
}

export interface ActivityObserver<Request> {
  /** Handles an answered request. Returns at once and never throws. */
  observe(answered: AnsweredRequest<Request>): void;
  counters(): ActivityCounters;
}

/** @throws TypeError when the options name no way to verify */
export function createSignObserver<Request>(options: ActivityOptions<Request>): ActivityObserver<Request> {
  checkOptions(options);
  return new Observer(options);
}

class Observer<Request> implements ActivityObserver<Request> {
  private readonly verifier;
  private readonly maxInFlight: number;
  private readonly counts = { noted: 0, ignored: 0, anonymous: 0, skipped: 0, failed: 0 };
  private inFlight = 0;
  /**
   * Credentials being verified, with the latest request of each: thirty requests of
   * one page need one verification.
   */
  private readonly asking = new Map<string, number>();

  constructor(private readonly options: ActivityOptions<Request>) {
    this.verifier = createIdentityVerifier(options);
    this.maxInFlight = options.maxInFlight ?? 20;
  }

  observe(answered: AnsweredRequest<Request>): void {
    try {
      if (this.isNobodysDoing(answered)) this.counts.ignored += 1;
      else if (this.options.identify === undefined) this.observeCredential(answered);
      else this.observeIdentified(answered, this.options.identify);
    } catch (error) {
      this.fail(error);
    }
  }

  counters(): ActivityCounters {
    return { ...this.counts };
  }

  private isNobodysDoing({ request, headers, status }: AnsweredRequest<Request>): boolean {
    if (!isSuccess(status) || headers[backgroundHeader] === '1') return true;
    return this.options.ignore?.(request) === true;
  }

  private observeCredential({ headers, at }: AnsweredRequest<Request>): void {
    const pending = this.verifier(headers);
    if (pending === undefined) this.counts.anonymous += 1;
    else if (pending.known !== undefined) this.note(pending.known.identity, at);
    else this.ask(pending, at);
  }

  private ask(pending: PendingVerification, at: number): void {
    const { key } = pending;
    const earlier = this.asking.get(key);
    if (earlier !== undefined) {
      this.asking.set(key, Math.max(earlier, at));
      return;
    }
    if (this.inFlight >= this.maxInFlight) {
      this.counts.skipped += 1;
      return;
    }
    this.asking.set(key, at);
    this.beside(async () => {
      try {
        const { identity } = await pending.ask();
        this.note(identity, this.asking.get(key) ?? at);
      } finally {
        this.asking.delete(key);
      }
    });
  }

  private observeIdentified(
    { request, at }: AnsweredRequest<Request>,
    identify: NonNullable<ActivityOptions<Request>['identify']>,
  ): void {
    if (this.inFlight >= this.maxInFlight) {
      this.counts.skipped += 1;
      return;
    }
    const identity = identify(request);
    if (identity instanceof Promise) this.beside(async () => this.note(await identity, at));
    else this.note(identity, at);
  }

  private beside(work: () => Promise<void>): void {
    this.inFlight += 1;
    work()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.inFlight -= 1;
      });
  }

  private note(identity: VerifiedIdentity | undefined, at: number): void {
    if (identity === undefined) {
      this.counts.anonymous += 1;
      return;
    }
    const source = this.options.source ?? 'web';
    this.options.dormouse.noteActivity(identity.identityId, { at, kind: identity.kind, source });
    this.counts.noted += 1;
  }

  private fail(error: unknown): void {
    this.counts.failed += 1;
    try {
      this.options.onError?.(error instanceof Error ? error : new Error('identify failed', { cause: error }));
    } catch {
      // A failing logger is the app's to fix, and no reason to end its process.
    }
  }
}

/**
 * Only a request that the app accepted is a sign of life. A 401 or 403 means that the credential was
 * refused, and apps without a valid session answer 3xx to the sign-in page. After a redirect that follows an
 * action, the target page counts.
 */
function isSuccess(status: number): boolean {
  return (status >= 200 && status < 300) || status === 304;
}
