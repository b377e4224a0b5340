/** The calls to the routes of the session guard (docs/idle-sessions.md). */

/** A live session, times in epoch milliseconds of the server. */
export interface LiveState {
  readonly now: number;
  /** The latest presence. */
  readonly presentAt: number;
  /** Infinity: no idle limit. */
  readonly idleMs: number;
  readonly absoluteEndsAt: number;
  readonly warnBeforeMs: number;
  /** How often input is told; `undefined`: requests renew, and input does not. */
  readonly renewEveryMs: number | undefined;
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

export interface SessionServer {
  /** Never renews. */
  status(): Promise<ServerAnswer>;
  renew(idleForMs: number): Promise<ServerAnswer>;
  beat(): Promise<ServerAnswer>;
  release(): Promise<unknown>;
  /** @returns whether the server took it */
  signOut(): Promise<boolean>;
}

export function sessionServer(base: string, path: () => string, fetcher: typeof fetch): SessionServer {
  const send = (method: string, route: string, body?: object) =>
    fetcher(`${base}/${route}`, {
      method,
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body && {
        headers: { 'content-type': 'application/json', 'x-dormouse-request': '1' },
        body: JSON.stringify(body),
      }),
    });
  const ask = async (method: string, route: string, body?: object): Promise<ServerAnswer> => {
    try {
      const answer = await send(method, route, body);
      if (answer.status === 200) return liveOf(await answer.json());
      if (answer.status === 401) return endedOf(await answer.json());
      if (answer.status === 409) return { kind: 'exhausted' };
      // A date in place of seconds is passed over.
      return unknown(Number(answer.headers.get('retry-after')) * 1_000 || 0);
    } catch {
      // Not reachable, too slow, or something else answered.
    }
    return unknown();
  };
  return {
    status: () => ask('GET', `status?path=${encodeURIComponent(path())}`),
    renew: (idleForMs) =>
      ask('POST', 'renew', { path: path(), idleForMs: Math.max(0, Math.round(idleForMs)) }),
    beat: () => ask('POST', 'lease', { path: path() }),
    release: () => ask('DELETE', 'lease', {}),
    signOut: () =>
      send('POST', 'sign-out', {}).then(
        ({ status }) => status < 300,
        () => false,
      ),
  };
}

function liveOf(told: Record<string, unknown>): ServerAnswer {
  const at = (field: string) => Date.parse(`${told[field]}`);
  const count = (field: string) => Number(told[field]);
  const isLimited = told.idleEndsAt !== null;
  const state: LiveState = {
    now: at('now'),
    presentAt: isLimited ? at('idleEndsAt') - count('idleMs') : 0,
    idleMs: isLimited ? count('idleMs') : Number.POSITIVE_INFINITY,
    absoluteEndsAt: at('absoluteEndsAt'),
    warnBeforeMs: count('warnBeforeMs'),
    renewEveryMs: told.renewal === 'presence' ? count('renewEveryMs') : undefined,
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
