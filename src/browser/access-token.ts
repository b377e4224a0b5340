/**
 * Shows an access token's end in the page: asks, renews in the sliding mode, warns, and covers the page after the end. The server
 * decides; what the page counts by itself only makes it ask.
 */
import { clockUntil, pageClock } from './clock.js';
import { watchComingBack } from './coming-back.js';
import { startCountdown } from './countdown.js';
import { createPanel } from './panel.js';
import { startRetries, untilTaken } from './retries.js';
import { serverClock } from './server-clock.js';
import { openTabs } from './tabs.js';
import { startTimeline } from './timeline.js';
import type { AccessToken, AccessTokenOptions } from './token-options.js';
import { startTokenRenewal } from './token-renewal.js';
import { endOf, type TokenAnswer, type TokenConfig, type TokenState, tokenServer } from './token-server.js';
import { englishTokens, type TokenEnd } from './token-texts.js';
import { signInTarget } from './way-back.js';

/** Where the API does not tell. */
const usualWarnBeforeMs = 120_000;

let isRunning = false;

/** Starts the library, once a page. @throws Error where it runs already */
export function startAccessToken(options: AccessTokenOptions = {}): AccessToken {
  if (isRunning) throw new Error('startAccessToken runs already. Call stop() first');
  isRunning = true;
  const { base = '/token', app = '', path = () => location.pathname } = options;
  const fetcher = options.fetch ?? ((input, init) => fetch(input, init));
  const ownClock = options.clock ?? pageClock;
  const api = new URL(base, location.href);
  const configUrl = new URL(options.configUrl ?? '/api/auth/config', api).href;
  const stopped = new AbortController();
  const { signal } = stopped;
  const clock = clockUntil(ownClock, signal);
  const timeline = startTimeline(clock);
  const serverTime = serverClock(timeline);
  const server = tokenServer({ base, configUrl }, path, fetcher);
  const retries = startRetries(clock);
  /** `undefined`: nobody is signed in. */
  let token: string | undefined;
  let state: TokenState | undefined;
  let config: TokenConfig | undefined;
  let asking: Promise<unknown> | undefined;
  /** The server has said that the end is near; uses of other tabs are counted in. */
  let isConfirmed = false;
  let isLeaving = false;
  /** The person answered the warning, and the server doesn't know yet. */
  let isStaying = false;
  /** When another tab signed out, on the timeline: of this session, unless the server says otherwise. */
  let signedOutAt = Number.POSITIVE_INFINITY;

  const panel = createPanel(
    { ...englishTokens, ...options.texts },
    {
      onStay: () => void stay(),
      onSignOut: () => void signOut(),
      onUnderstood: () => countdown.understood(),
    },
  );
  const leftMs = ({ idleEndsAt, endsAt }: TokenState) => Math.min(idleEndsAt, endsAt) - serverTime.now();
  const warnBeforeMs = () => config?.warnBeforeMs ?? usualWarnBeforeMs;
  const countdown = startCountdown({
    clock,
    panel: { ...panel, warn },
    deadline: () =>
      isLeaving || state === undefined
        ? undefined
        : [leftMs(state), warnBeforeMs(), state.endsAt <= state.idleEndsAt],
    onZero() {
      panel.cover(retries.isFailing() ? 'unreachable' : 'checking');
      if (!retries.isFailing()) void check();
    },
  });
  const renewal = startTokenRenewal({
    timeline,
    async renew(present) {
      const next = await (options.renew
        ? options.renew(present)
        : options.renewUrl && server.renew(options.renewUrl, present));
      return next || undefined;
    },
  });
  const isRenewable = options.renew !== undefined || options.renewUrl !== undefined;
  const tabs = openTabs(`dormouse${base}/${app}`, hear, signal);
  watchComingBack(comeBack, signal);

  /** Each second while the end is near. */
  function warn(secondsLeft: number, isAbsolute: boolean): void {
    // Nothing is lengthened by it: the idle limit goes on counting what the person does.
    if (isAbsolute && renewal.isWorthwhile()) {
      panel.hide();
      void renew();
    } else if (panel.isOpen() || isConfirmed || retries.isFailing()) panel.warn(secondsLeft, isAbsolute);
    else void check();
  }

  async function renew(): Promise<void> {
    const [present, before] = [token, state];
    if (present === undefined || before === undefined) return;
    const next = await renewal.next(present);
    if (signal.aborted || isLeaving || token !== present) return;
    if (next !== undefined) replaceBy(next);
    await check();
    // Where the server did not answer, nothing is known of the new one.
    if (next === undefined || state !== before) renewal.settled((state?.endsAt ?? 0) > before.endsAt);
    countdown.tick();
  }

  function replaceBy(next: string): void {
    token = next;
    // A question about the one before says nothing about this one.
    asking = undefined;
    isConfirmed = false;
  }

  async function signedIn(next: string): Promise<void> {
    if (signal.aborted) throw new Error('stop() was called. Call startAccessToken() again');
    replaceBy(next);
    state = undefined;
    isLeaving = isStaying = false;
    signedOutAt = Number.POSITIVE_INFINITY;
    renewal.begin(isRenewable && config?.isSliding !== false);
    retries.settled();
    panel.hide();
    await check();
  }

  async function check(): Promise<void> {
    const present = token;
    if (present === undefined) return;
    // Over once it is answered: what the answer brings about may ask anew.
    asking ??= ask(present, () =>
      server.status(present).finally(() => {
        if (token === present) asking = undefined;
      }),
    );
    await asking;
  }

  async function ask(present: string, question: (token: string) => Promise<TokenAnswer>): Promise<void> {
    if (config === undefined) {
      config = await server.config();
      if (config?.isSliding === false) renewal.begin(false);
    }
    const askedAt = timeline();
    const told = await question(present);
    if (signal.aborted || token !== present || (isLeaving && told.kind !== 'ended')) return;
    if (told.kind === 'good') adopt(told.state, askedAt);
    if (told.kind === 'unknown') fail(told.retryMs);
    if (told.kind === 'ended')
      end(told.end === 'revoked' && askedAt >= signedOutAt ? 'signed_out' : told.end);
  }

  function adopt(next: TokenState, askedAt: number): void {
    if (!serverTime.adopt(next.now, askedAt)) return;
    state = next;
    isConfirmed = leftMs(next) <= warnBeforeMs();
    if (askedAt >= signedOutAt) signedOutAt = Number.POSITIVE_INFINITY;
    retries.settled();
    if (panel.isCover()) panel.hide();
    countdown.tick();
  }

  /** Nothing was decided, so nothing ends: the countdown goes on, and the server is asked again. */
  function fail(retryMs: number): void {
    retries.failed(retryMs, () => void (isStaying ? stay() : check()));
    countdown.tick();
    if (panel.isCover()) panel.cover('unreachable');
  }

  /** A use by the person, which is what the idle limit counts. */
  async function stay(): Promise<void> {
    if (token === undefined) return;
    isStaying = true;
    await ask(token, async (present) => {
      const told = await server.use(present);
      if (told.kind === 'good') {
        isStaying = false;
        tabs.send({ type: 'present', at: told.state.now });
      }
      return told;
    });
  }

  async function fetchWith(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const present = token;
    if (present === undefined) throw new Error('nobody is signed in. Call signedIn(token) first');
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    // guard: access tokens: the page sends a token to its API alone
    if (origin !== api.origin && !options.origins?.includes(origin)) {
      throw new Error(`the token is not for ${origin}. Name it in "origins" where it is`);
    }
    request.headers.set('authorization', `Bearer ${present}`);
    const answer = await fetcher(request);
    const told = await endOf(answer);
    // guard: access tokens: the page believes no late answer about a token before
    if (token !== present || signal.aborted || isLeaving) return answer;
    if (told !== undefined) end(told);
    else if (answer.ok && !request.headers.has('x-dormouse-background')) used();
    return answer;
  }

  function used(): void {
    // The server knows of it, and the end that was near may be far.
    isConfirmed = false;
    tabs.send({ type: 'present', at: serverTime.now() });
    if (panel.isOpen()) void check();
  }

  function hear({ type }: { readonly type: string }): void {
    isConfirmed = false;
    if (type === 'signed-out') {
      // Another tab may have another session: only the server knows. What it was asked before says nothing.
      // guard: access tokens: a sign-out elsewhere is one of this session by the server’s word alone
      signedOutAt = timeline();
      asking = undefined;
    } else if (!panel.isOpen()) return;
    void check();
  }

  function comeBack(isFromCache: boolean): void {
    if (token === undefined) return;
    if (isFromCache) panel.cover('checking');
    if (document.hidden) return;
    if (!isFromCache) countdown.tick();
    void check();
  }

  async function signOut(): Promise<void> {
    const leaving = token;
    if (leaving === undefined) return;
    isLeaving = true;
    const isOver = () => signal.aborted || token !== leaving;
    await untilTaken(
      ownClock,
      () => isOver() || server.signOut(leaving),
      () => isOver() || panel.cover('unreachable'),
    );
    if (isOver()) return;
    tabs.send({ type: 'signed-out' });
    end('signed_out');
  }

  function end(reason: TokenEnd): void {
    token = state = undefined;
    retries.settled();
    const target = signInTarget(options.signInUrl, reason);
    panel.cover(reason, target);
    // In a turn of its own: what it throws stops nothing here.
    queueMicrotask(() => options.onEnd?.(reason));
    // Who asked to leave wants no further question.
    if (reason === 'signed_out' && target !== undefined) location.assign(target);
  }

  function stop(): void {
    if (signal.aborted) return;
    stopped.abort();
    token = state = undefined;
    panel.hide();
    isRunning = false;
  }

  return { signedIn, current: () => token, fetch: fetchWith, check, signOut, stop };
}
