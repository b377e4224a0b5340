/** Shows a session's idle end in the page: asks, warns, renews after real input, and covers the page after the end. */
import { type PageClock, pageClock } from './clock.js';
import { Panel } from './panel.js';
import { watchInput } from './presence.js';
import { type LiveState, type ServerAnswer, SessionServer } from './server.js';
import { ServerTime } from './server-time.js';
import { openTabs, type TabMessage } from './tabs.js';
import { type EndReason, english, type Texts } from './texts.js';

export interface IdleSessionOptions {
  /** Where the app serves the guard's routes. Default `/session`. */
  readonly base?: string;
  /** Tells two apps of one origin apart. */
  readonly app?: string;
  /** The path whose limits count. Default: that of the page. */
  readonly path?: () => string;
  /** Where people sign in. After the end the page links there with `return_to`, the path where one was. */
  readonly signInUrl?: string;
  /** Saves drafts, before a sign-out that the person asked for. Waited for two seconds at most. */
  readonly onBeforeSignOut?: () => void | Promise<void>;
  /** Called once with the end. */
  readonly onEnd?: (reason: Exclude<EndReason, 'unreachable'>) => void;
  /** Default: English. German: `german` of `@dormouse/browser/de`. */
  readonly texts?: Partial<Texts>;
  /** Origins of frames that may report input: `parent.postMessage({ type: 'dormouse:presence' }, …)`. */
  readonly frameOrigins?: readonly string[];
  readonly clock?: PageClock;
  readonly fetch?: typeof fetch;
}

export interface IdleSession {
  /** Ends the session in every tab. */
  signOut(): Promise<void>;
  /** Keeps the session from its idle end while the work goes on, as long as the policy allows. */
  hold<T>(work: Promise<T> | (() => Promise<T>)): Promise<T>;
  /** Asks the server. Never renews. */
  check(): Promise<void>;
  stop(): void;
}

/** A timer may wait for 2^31 - 1 ms at most, and a machine may sleep: looked at each minute. */
const longestWaitMs = 60_000;
const longestRetryMs = 30_000;
const draftMs = 2_000;
const soonMs = 1_000;

let running: Page | undefined;

/** Starts the library, once a page. @throws Error where it runs already */
export function startIdleSession(options: IdleSessionOptions = {}): IdleSession {
  if (running !== undefined) throw new Error('startIdleSession runs already. Call stop() first');
  running = new Page(options);
  return running;
}

class Page implements IdleSession {
  readonly #clock: PageClock;
  readonly #server: SessionServer;
  readonly #panel: Panel;
  readonly #tabs;
  readonly #name: string;
  readonly #stops: (() => void)[] = [];
  #live: LiveState | undefined;
  #time: ServerTime | undefined;
  /** The latest presence that is known, by the server's clock. */
  #presentAt = 0;
  /** On the monotonic clock. */
  #inputAt = 0;
  /** The input that the server knows of. */
  #toldAt = 0;
  #isLeaving = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #cancelTick = () => {};
  #cancelRenewal: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  #failures = 0;
  #isOver = false;
  /** The person closed the announcement of the absolute end. */
  #isUnderstood = false;

  readonly #options: IdleSessionOptions;

  constructor(options: IdleSessionOptions) {
    this.#options = options;
    const { base = '/session', app = '', clock = pageClock } = options;
    this.#clock = clock;
    this.#name = `dormouse${base}/${app}`;
    const path = options.path ?? (() => location.pathname);
    this.#server = new SessionServer(base, path, options.fetch ?? ((input, init) => fetch(input, init)));
    this.#panel = new Panel(
      { ...english, ...options.texts },
      {
        onStay: () => void this.#stay(),
        onSignOut: () => void this.signOut(),
        onUnderstood: () => {
          this.#isUnderstood = true;
          this.#panel.hide();
        },
      },
    );
    this.#tabs = openTabs(this.#name, (message) => this.#hear(message));
    this.#stops.push(
      () => this.#tabs.close(),
      watchInput(options.frameOrigins ?? [], () => this.#noteInput()),
      listen(document, ['visibilitychange', 'resume'], () => this.#comeBack(false)),
      listen(window, ['focus'], () => this.#comeBack(false)),
      listen(window, ['pageshow'], (event) => this.#comeBack((event as PageTransitionEvent).persisted)),
    );
    void this.check();
  }

  check(): Promise<void> {
    this.#asking ??= this.#server
      .status()
      .then((answer) => this.#take(answer))
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async signOut(): Promise<void> {
    const draft = Promise.resolve().then(() => this.#options.onBeforeSignOut?.());
    await Promise.race([draft.catch(() => undefined), this.#pause(draftMs)]);
    // Who asked to leave must not stay signed in because a server was slow.
    this.#isLeaving = true;
    for (
      let ms = soonMs;
      !this.#isOver && !(await this.#server.signOut());
      ms = Math.min(2 * ms, longestRetryMs)
    ) {
      this.#panel.cover('unreachable');
      await this.#pause(ms);
    }
    if (this.#isOver) return;
    this.#tabs.send({ type: 'signed-out' });
    this.#end('signed_out');
  }

  async hold<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    let isHeld = true;
    let cancel = () => {};
    const beat = async () => {
      const answer = await this.#server.beat();
      if (!isHeld) return;
      if (answer.kind === 'exhausted') return;
      this.#take(answer);
      if (!this.#isOver)
        cancel = this.#clock.after(this.#live?.leaseBeatMs ?? longestWaitMs, () => void beat());
    };
    void beat();
    try {
      return await (typeof work === 'function' ? work() : work);
    } finally {
      isHeld = false;
      cancel();
      if (!this.#isOver) {
        await this.#server.release();
        await this.check();
      }
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelTick();
    this.#cancelRenewal?.();
    for (const stop of this.#stops.splice(0)) stop();
    this.#panel.hide();
    if (running === this) running = undefined;
  }

  #take(answer: ServerAnswer): void {
    if (this.#isOver || (this.#isLeaving && answer.kind !== 'ended')) return;
    switch (answer.kind) {
      case 'live':
        this.#adopt(answer.state);
        break;
      case 'ended':
        this.#end(answer.reason);
        break;
      default:
        this.#fail();
    }
  }

  #adopt(state: LiveState): void {
    this.#failures = 0;
    this.#live = state;
    this.#time = new ServerTime(this.#clock, state.now);
    if (state.idleEndsAt !== undefined && state.idleMs !== undefined) {
      // The server's word, whatever another tab told.
      this.#presentAt = state.idleEndsAt - state.idleMs;
    }
    if (this.#panel.isCover) this.#panel.hide();
    this.#tick();
    this.#planRenewal();
  }

  /** Nothing was decided, so nothing ends. The page is covered once its time is over. */
  #fail(): void {
    this.#failures += 1;
    if (this.#leftMs() <= 0 && this.#live !== undefined) this.#panel.cover('unreachable');
    this.#wait(
      Math.min(longestRetryMs, 1_000 * 2 ** Math.min(this.#failures - 1, 5)),
      () => void this.check(),
    );
  }

  #tick(): void {
    if (this.#isOver || this.#live === undefined) return;
    const { warnBeforeMs } = this.#live;
    const left = this.#leftMs();
    if (left <= 0) {
      // Said by nobody before the server was asked.
      void this.check();
      return;
    }
    if (left > warnBeforeMs) {
      this.#isUnderstood = false;
      if (!this.#panel.isCover) this.#panel.hide();
      this.#wait(Math.min(left - warnBeforeMs, longestWaitMs), () => this.#tick());
      return;
    }
    const isAbsolute = this.#live.absoluteEndsAt <= this.#idleEndsAt();
    if (!isAbsolute || !this.#isUnderstood) this.#panel.warn(Math.ceil(left / 1_000), isAbsolute);
    this.#wait(left % 1_000 || 1_000, () => this.#tick());
  }

  #idleEndsAt(): number {
    const { idleMs } = this.#live ?? {};
    return idleMs === undefined ? Number.POSITIVE_INFINITY : this.#presentAt + idleMs;
  }

  #leftMs(): number {
    if (this.#live === undefined || this.#time === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(this.#idleEndsAt(), this.#live.absoluteEndsAt) - this.#time.now();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => this.#clock.after(ms, done));
  }

  #wait(ms: number, run: () => void): void {
    this.#cancelTick();
    this.#cancelTick = this.#clock.after(ms, run);
  }

  /** To come back is a question to the server, never a renewal. */
  #comeBack(isFromCache: boolean): void {
    if (this.#isOver || document.hidden) return;
    if (isFromCache) this.#panel.cover('checking');
    else this.#tick();
    void this.check();
  }

  #noteInput(): void {
    // An open warning wants an answer: a mouse that is pushed by the cat is none (WCAG 2.2.1: a simple action).
    if (document.hidden || this.#panel.isOpen) return;
    this.#inputAt = this.#clock.monotonic();
    this.#planRenewal();
  }

  /** Tells of input once in a window, and again until the server or another tab's renewal has covered it. */
  #planRenewal(): void {
    const { renewal, renewEveryMs = 0 } = this.#live ?? {};
    if (renewal !== 'presence' || this.#isOver || document.hidden) return;
    if (this.#cancelRenewal !== undefined || this.#inputAt <= this.#toldAt) return;
    const dueIn = this.#renewedAt + renewEveryMs - this.#clock.monotonic();
    this.#cancelRenewal = this.#clock.after(Math.max(soonMs, dueIn), async () => {
      await this.#renewForInput();
      this.#cancelRenewal = undefined;
      this.#planRenewal();
    });
  }

  /** One heartbeat for all tabs: the tab that has the lock sends it. */
  async #renewForInput(): Promise<void> {
    if (document.hidden || this.#panel.isOpen || this.#isOver) return;
    const send = async (lock: unknown) => {
      if (lock !== null) await this.#renew(this.#clock.monotonic() - this.#inputAt);
    };
    if (navigator.locks === undefined) await send(0);
    else await navigator.locks.request(this.#name, { ifAvailable: true }, send);
  }

  async #stay(): Promise<void> {
    await this.#renew(0);
  }

  async #renew(idleForMs: number): Promise<void> {
    const inputAt = this.#inputAt;
    this.#renewedAt = this.#clock.monotonic();
    const answer = await this.#server.renew(idleForMs);
    if (answer.kind === 'live') this.#toldAt = inputAt;
    this.#take(answer);
    if (answer.kind === 'live' && !this.#isOver) this.#tabs.send({ type: 'present', at: this.#presentAt });
  }

  #hear(message: TabMessage): void {
    if (this.#isOver) return;
    if (message.type === 'signed-out') {
      this.#end('signed_out');
      return;
    }
    // Only delays the question: at zero the server is asked all the same.
    if (this.#time === undefined) return;
    const at = Math.min(message.at, this.#time.now());
    if (at <= this.#presentAt) return;
    this.#presentAt = at;
    this.#renewedAt = this.#clock.monotonic();
    this.#toldAt = this.#renewedAt - this.#time.now() + at;
    this.#tick();
  }

  #end(reason: Exclude<EndReason, 'unreachable'>): void {
    if (this.#isOver) return;
    this.stop();
    const target = this.#signInTarget(reason);
    this.#panel.cover(reason, target);
    this.#options.onEnd?.(reason);
    // Who asked to leave wants no further question.
    if (reason === 'signed_out' && target !== undefined) location.assign(target);
  }

  #signInTarget(reason: string): string | undefined {
    const { signInUrl } = this.#options;
    if (signInUrl === undefined) return undefined;
    const url = new URL(signInUrl, location.href);
    url.searchParams.set('reason', reason);
    url.searchParams.set('return_to', location.pathname + location.search + location.hash);
    return url.href;
  }
}

function listen(target: EventTarget, types: readonly string[], run: (event: Event) => void): () => void {
  for (const type of types) target.addEventListener(type, run);
  return () => {
    for (const type of types) target.removeEventListener(type, run);
  };
}
