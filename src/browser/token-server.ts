/** The calls to the routes of the guard of access tokens, and to the app's renewal (docs/inactive-tokens.md). */
import type { TokenEnd } from './token-texts.js';

/** A good token, times in epoch milliseconds of the server. */
export interface TokenState {
  readonly now: number;
  /** Infinity: no idle limit is known. */
  readonly idleEndsAt: number;
  readonly endsAt: number;
}

export type TokenAnswer =
  | { readonly kind: 'good'; readonly state: TokenState }
  | { readonly kind: 'ended'; readonly end: TokenEnd }
  /** No answer, or none that decides anything. */
  | { readonly kind: 'unknown'; readonly retryMs: number };

export interface TokenConfig {
  readonly warnBeforeMs: number;
  /** Whether a new token is given for a live sign-in. */
  readonly isSliding: boolean;
}

export interface TokenServer {
  /** Never a use. */
  status(token: string): Promise<TokenAnswer>;
  /** A use by the person. */
  use(token: string): Promise<TokenAnswer>;
  /** @returns whether the server took it */
  signOut(token: string): Promise<boolean>;
  /** @returns `undefined`: not known */
  config(): Promise<TokenConfig | undefined>;
  /** @returns the next token; `undefined`: it is refused. @throws Error where nothing was decided */
  renew(url: string, token: string): Promise<string | undefined>;
}

const timeoutMs = 10_000;
const ends = ['idle', 'time', 'revoked', 'error'] as const;
const unknown = (retryMs = 0): TokenAnswer => ({ kind: 'unknown', retryMs });

export function tokenServer(
  { base, configUrl }: { base: string; configUrl: string },
  path: () => string,
  fetcher: typeof fetch,
): TokenServer {
  const send = (method: string, url: string, token?: string) =>
    fetcher(url, {
      method,
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    });
  const ask = async (method: string, route: string, token: string): Promise<TokenAnswer> => {
    try {
      const answer = await send(method, `${base}/${route}?path=${encodeURIComponent(path())}`, token);
      if (answer.status === 200) return goodOf(await answer.json());
      const end = await endOf(answer);
      if (end !== undefined) return { kind: 'ended', end };
      // A date in place of seconds is passed over.
      return unknown(Number(answer.headers.get('retry-after')) * 1_000 || 0);
    } catch {
      // Not reachable, too slow, or something else answered.
    }
    return unknown();
  };
  return {
    status: (token) => ask('GET', 'status', token),
    use: (token) => ask('POST', 'use', token),
    signOut: (token) =>
      send('POST', `${base}/sign-out`, token).then(
        // 401: it is over already.
        ({ ok, status }) => ok || status === 401,
        () => false,
      ),
    async config() {
      try {
        const { warn_before_seconds: seconds, features } = await (await send('GET', configUrl)).json();
        return { warnBeforeMs: seconds * 1_000 || 0, isSliding: features?.sliding_access === true };
      } catch {
        return undefined;
      }
    },
    async renew(url, token) {
      const answer = await send('POST', url, token);
      if (answer.ok) {
        const { accessToken } = await answer.json();
        if (typeof accessToken === 'string') return accessToken;
      }
      if (answer.status === 401 || answer.status === 403) return undefined;
      throw new Error('the renewal decided nothing');
    },
  };
}

/** What the answer to a request with a token says of its end; `undefined`: nothing. The answer can still be read. */
export async function endOf(answer: Response): Promise<TokenEnd | undefined> {
  if (answer.status !== 401) return undefined;
  const told = await answer
    .clone()
    .json()
    .catch(() => undefined);
  // Without a token at the server: something on the way has taken it.
  if (told?.error === 'no_token') return 'error';
  return told?.error === 'invalid_token' ? (ends.find((end) => end === told.end) ?? 'error') : undefined;
}

function goodOf(told: Record<string, unknown>): TokenAnswer {
  const at = (field: string) => Date.parse(`${told[field]}`);
  const state: TokenState = {
    now: at('now'),
    idleEndsAt: told.idleEndsAt === null ? Number.POSITIVE_INFINITY : at('idleEndsAt'),
    endsAt: at('endsAt'),
  };
  const isWhole = Object.values(state).every((value) => !Number.isNaN(value));
  return told.state === 'good' && isWhole ? { kind: 'good', state } : unknown();
}
