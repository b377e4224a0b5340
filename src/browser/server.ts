/** The calls to the routes of the session guard (docs/idle-sessions.md). */

/** A live session, times in epoch milliseconds of the server. */
export interface LiveState {
  readonly now: number;
  /** `undefined`: no idle limit. */
  readonly idleEndsAt: number | undefined;
  readonly idleMs: number | undefined;
  readonly absoluteEndsAt: number;
  readonly warnBeforeMs: number;
  readonly renewal: string;
  readonly renewEveryMs: number;
  readonly leaseBeatMs: number;
}

export type ServerAnswer =
  | { readonly kind: 'live'; readonly state: LiveState }
  | { readonly kind: 'ended'; readonly reason: 'idle' | 'absolute' | 'signed_out' | 'revoked' }
  /** The operation went on for too long without the person. */
  | { readonly kind: 'exhausted' }
  /** No answer, or none that decides anything. */
  | { readonly kind: 'unknown'; readonly retryMs: number };

const timeoutMs = 10_000;
const unknown = (retryMs = 0): ServerAnswer => ({ kind: 'unknown', retryMs });

export class SessionServer {
  readonly #base: string;
  readonly #path: () => string;
  readonly #fetcher: typeof fetch;

  constructor(base: string, path: () => string, fetcher: typeof fetch) {
    this.#base = base;
    this.#path = path;
    this.#fetcher = fetcher;
  }

  /** Never renews. */
  status(): Promise<ServerAnswer> {
    return this.#ask('GET', `status?path=${encodeURIComponent(this.#path())}`);
  }

  renew(idleForMs: number): Promise<ServerAnswer> {
    return this.#ask('POST', 'renew', { path: this.#path(), idleForMs: Math.max(0, Math.round(idleForMs)) });
  }

  beat(): Promise<ServerAnswer> {
    return this.#ask('POST', 'lease', { path: this.#path() });
  }

  async release(): Promise<void> {
    await this.#ask('DELETE', 'lease');
  }

  /** @returns whether the server took it */
  async signOut(): Promise<boolean> {
    try {
      return (await this.#send('POST', 'sign-out', {})).status < 300;
    } catch {
      return false;
    }
  }

  async #ask(method: string, route: string, body?: object): Promise<ServerAnswer> {
    try {
      const answer = await this.#send(method, route, body);
      if (answer.status === 200) return liveOf(await answer.json());
      if (answer.status === 401) return endedOf(await answer.json());
      if (answer.status === 409) return { kind: 'exhausted' };
      // A date in place of seconds is passed over.
      return unknown(Number(answer.headers.get('retry-after')) * 1_000 || 0);
    } catch {
      // Not reachable, too slow, or something else answered.
    }
    return unknown();
  }

  #send(method: string, route: string, body?: object): Promise<Response> {
    return this.#fetcher(`${this.#base}/${route}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(method !== 'GET' && {
        headers: { 'content-type': 'application/json', 'x-dormouse-request': '1' },
        body: JSON.stringify(body ?? {}),
      }),
    });
  }
}

function liveOf(told: Record<string, unknown>): ServerAnswer {
  const at = (field: string) => Date.parse(`${told[field]}`);
  const count = (field: string) => Number(told[field]);
  const isUnlimited = told.idleEndsAt === null;
  const state: LiveState = {
    now: at('now'),
    idleEndsAt: isUnlimited ? undefined : at('idleEndsAt'),
    idleMs: isUnlimited ? undefined : count('idleMs'),
    absoluteEndsAt: at('absoluteEndsAt'),
    warnBeforeMs: count('warnBeforeMs'),
    renewal: `${told.renewal}`,
    renewEveryMs: count('renewEveryMs'),
    leaseBeatMs: count('leaseBeatMs'),
  };
  const isWhole = Object.values(state).every((value) => !Number.isNaN(value));
  return told.state === 'live' && isWhole ? { kind: 'live', state } : unknown();
}

function endedOf({ error, reason }: Record<string, unknown>): ServerAnswer {
  if (error === 'no_session') return { kind: 'ended', reason: 'signed_out' };
  if (error !== 'session_ended') return unknown();
  const known = (['idle', 'absolute', 'signed_out', 'revoked'] as const).find((one) => one === reason);
  return { kind: 'ended', reason: known ?? 'revoked' };
}
