/** Shows a session's idle end in the page: asks, warns, renews after real input, and covers the page after the end. */
import { clockUntil, pageClock } from './clock.js';
import { watchComingBack } from './coming-back.js';
import { startCountdown } from './countdown.js';
import { holdsOf } from './holds.js';
import type { IdleSession, IdleSessionOptions } from './idle-options.js';
import { createPanel } from './panel.js';
import { watchInput } from './presence.js';
import { startRenewals } from './renewals.js';
import { startRetries, untilTaken } from './retries.js';
import { type LiveState, type ServerAnswer, sessionServer } from './server.js';
import { serverClock } from './server-clock.js';
import { openTabs, type TabMessage } from './tabs.js';
import { type EndReason, english } from './texts.js';
import { startTimeline } from './timeline.js';
import { signInTarget } from './way-back.js';

export type { IdleSession, IdleSessionOptions } from './idle-options.js';

const draftMs = 2_000;

let running: IdleSession | undefined;

/** Starts the library, once a page. @throws Error where it runs already */
export function startIdleSession(options: IdleSessionOptions = {}): IdleSession {
  if (running !== undefined) throw new Error('startIdleSession runs already. Call stop() first');
  running = begin(options);
  return running;
}

function begin(options: IdleSessionOptions): IdleSession {
  const { base = '/session', app = '', path = () => location.pathname } = options;
  const ownClock = options.clock ?? pageClock;
  const name = `dormouse${base}/${app}`;
  const stopped = new AbortController();
  const { signal } = stopped;
  const clock = clockUntil(ownClock, signal);
  const timeline = startTimeline(clock);
  const serverTime = serverClock(timeline);
  const server = sessionServer(base, path, options.fetch ?? ((input, init) => fetch(input, init)));
  const retries = startRetries(clock);
  /** `undefined`: no session was live in this page so far. */
  let live: LiveState | undefined;
  /** The latest presence that is known, by the server's clock. */
  let presentAt = 0;
  let asking: Promise<unknown> | undefined;
  let isLeaving = false;

  const panel = createPanel<EndReason>(
    { ...english, ...options.texts },
    {
      onStay: () => renewals.stay(),
      onSignOut: () => void signOut(),
      onUnderstood: () => countdown.understood(),
    },
  );
  const countdown = startCountdown({
    clock,
    panel,
    deadline() {
      if (isLeaving || live === undefined) return undefined;
      const { idleMs, absoluteEndsAt, warnBeforeMs } = live;
      const idleEndsAt = presentAt + idleMs;
      const leftMs = Math.min(idleEndsAt, absoluteEndsAt) - serverTime.now();
      return [leftMs, warnBeforeMs, absoluteEndsAt <= idleEndsAt];
    },
    onZero() {
      panel.cover(retries.isFailing() ? 'unreachable' : 'checking');
      if (!retries.isFailing()) void check();
    },
  });
  const renewals = startRenewals({
    ...{ clock, timeline, lock: name },
    everyMs: () => live?.renewEveryMs,
    isAsked: panel.isOpen,
    async renew(idleForMs) {
      const isLive = (await ask(server.renew(idleForMs))) === 'live';
      if (isLive && !signal.aborted) tabs.send({ type: 'present', at: presentAt });
      return isLive;
    },
  });
  const hold = holdsOf({
    ...{ clock, signal },
    beat: async () => (await ask(server.beat())) === 'exhausted',
    everyMs: () => live?.leaseBeatMs,
    async release() {
      await server.release();
      await check();
    },
  });

  async function check(): Promise<void> {
    // Over once it is answered: what the answer brings about may ask anew.
    asking ??= ask(
      server.status().finally(() => {
        asking = undefined;
      }),
    );
    await asking;
  }

  async function ask(answer: Promise<ServerAnswer>): Promise<ServerAnswer['kind']> {
    const askedAt = timeline();
    const told = await answer;
    if (!signal.aborted && (!isLeaving || told.kind === 'ended')) take(told, askedAt);
    return told.kind;
  }

  function take(answer: ServerAnswer, askedAt: number): void {
    if (answer.kind === 'live') adopt(answer.state, askedAt);
    if (answer.kind === 'unknown') fail(answer.retryMs);
    if (answer.kind !== 'ended') return;
    // Nobody was signed in here: a public page, or the one for signing in. It stays as it is, and asks when it is shown again.
    // guard: sessions: a page where nobody is signed in goes nowhere
    if (live === undefined) settle();
    else end(answer.reason);
  }

  function settle(): void {
    retries.settled();
    if (panel.isCover()) panel.hide();
  }

  function adopt(state: LiveState, askedAt: number): void {
    if (!serverTime.adopt(state.now, askedAt)) return;
    live = state;
    // The server's word, whatever another tab told.
    presentAt = state.presentAt;
    settle();
    countdown.tick();
    renewals.plan();
  }

  /** Nothing was decided, so nothing ends: the countdown goes on, and the server is asked again. */
  function fail(retryMs: number): void {
    retries.failed(retryMs, () => void (renewals.isStaying() ? renewals.renew() : check()));
    countdown.tick();
    if (panel.isCover()) panel.cover('unreachable');
  }

  function hear(message: TabMessage): void {
    if (message.type === 'signed-out') {
      if (live !== undefined || asking !== undefined) end('signed_out');
      return;
    }
    // Only delays the question: at zero the server is asked all the same.
    const at = Math.min(message.at, serverTime.now());
    if (live === undefined || at <= presentAt) return;
    presentAt = at;
    renewals.told(serverTime.onTimeline(at));
    countdown.tick();
  }

  async function signOut(): Promise<void> {
    await saveDraft('signed_out');
    isLeaving = true;
    await untilTaken(
      ownClock,
      () => signal.aborted || server.signOut(),
      () => signal.aborted || panel.cover('unreachable'),
    );
    if (signal.aborted) return;
    tabs.send({ type: 'signed-out' });
    end('signed_out');
  }

  function saveDraft(reason: Exclude<EndReason, 'unreachable'>): Promise<unknown> {
    const draft = Promise.resolve().then(() => options.onBeforeSignOut?.(reason));
    const tooLong = new Promise<void>((done) => ownClock.after(draftMs, done));
    return Promise.race([draft.catch(() => undefined), tooLong]);
  }

  function end(reason: Exclude<EndReason, 'unreachable'>): void {
    const saved = isLeaving ? undefined : saveDraft(reason);
    stop();
    const target = signInTarget(options.signInUrl, reason);
    panel.cover(reason, target);
    // In a turn of its own: what it throws stops nothing here.
    queueMicrotask(() => options.onEnd?.(reason));
    // Who asked to leave wants no further question.
    if (reason === 'signed_out' && target !== undefined)
      void Promise.resolve(saved).then(() => location.assign(target));
  }

  function stop(): void {
    if (signal.aborted) return;
    stopped.abort();
    panel.hide();
    running = undefined;
  }

  const tabs = openTabs(name, hear, signal);
  watchInput(options.frameOrigins ?? [], renewals.noteInput, signal);
  watchComingBack((isFromCache) => {
    if (isFromCache) panel.cover('checking');
    if (document.hidden) return;
    // guard: sessions: a tab that is resumed after the end is covered before the server answered
    if (!isFromCache) countdown.tick();
    // To come back is a question to the server, never a renewal.
    void check();
  }, signal);
  void check();
  return { signOut, hold, check, stop };
}
