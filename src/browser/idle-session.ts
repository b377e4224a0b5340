/** Shows a session's idle end in the page: asks, warns, renews after real input, and covers the page after the end. */
import { type PageClock, pageClock } from './clock.js';
import { Panel } from './panel.js';
import { watchInput } from './presence.js';
import { type LiveState, type ServerAnswer, SessionServer } from './server.js';
import { openTabs, type TabMessage, type Tabs } from './tabs.js';
import { type EndReason, english, type Texts } from './texts.js';
import { Timeline } from './timeline.js';

export interface IdleSessionOptions {
  /** Where the app serves the guard's routes. Default `/session`. */
  readonly base?: string;
  /** Tells two apps of one origin apart. */
  readonly app?: string;
  /** The path whose limits count. Default: that of the page. */
  readonly path?: () => string;
  /** Where people sign in. After the end the page links there with `return_to`, the path where one was. */
  readonly signInUrl?: string;
  /**
   * Saves drafts: before a sign-out that the person asked for, and as soon as the page learns of any other end. Then the server takes nothing
   * any more, and the page is covered but still there. Waited for two seconds at most before the page is left.
   */
  readonly onBeforeSignOut?: (reason: Exclude<EndReason, 'unreachable'>) => void | Promise<void>;
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
  readonly #options: IdleSessionOptions;
  readonly #clock: PageClock;
  readonly #timeline: Timeline;
  readonly #server: SessionServer;
  readonly #panel: Panel;
  readonly #tabs: Tabs;
  readonly #name: string;
  readonly #stopped = new AbortController();
  /** `undefined`: no session was live in this page so far. */
  #live: LiveState | undefined;
  /** What the server's clock is ahead of the timeline. */
  #aheadMs = 0;
  #answeredAt = 0;
  /** The latest presence that is known, by the server's clock. */
  #presentAt = 0;
  /** On the timeline. */
  #inputAt = 0;
  /** The input that the server knows of. */
  #toldAt = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #cancelTick = () => {};
  #cancelRetry = () => {};
  #cancelBeat = () => {};
  #cancelRenewal: (() => void) | undefined;
  #asking: Promise<unknown> | undefined;
  #leasing: Promise<unknown> = Promise.resolve();
  #holds = 0;
  #failures = 0;
  #isLeaving = false;
  /** The person answered the warning, and the server doesn't know yet. */
  #isStaying = false;
  /** The person closed the announcement of the absolute end. */
  #isUnderstood = false;

  constructor(options: IdleSessionOptions) {
    this.#options = options;
    const { base = '/session', app = '', clock = pageClock, path = () => location.pathname } = options;
    this.#clock = clock;
    this.#timeline = new Timeline(clock);
    this.#name = `dormouse${base}/${app}`;
    this.#server = new SessionServer(base, path, options.fetch ?? ((input, init) => fetch(input, init)));
    this.#panel = new Panel(
      { ...english, ...options.texts },
      {
        onStay: () => this.#stay(),
        onSignOut: () => void this.signOut(),
        onUnderstood: () => {
          this.#isUnderstood = true;
          this.#panel.hide();
        },
      },
    );
    const { signal } = this.#stopped;
    this.#tabs = openTabs(this.#name, (message) => this.#hear(message), signal);
    watchInput(options.frameOrigins ?? [], () => this.#noteInput(), signal);
    const back = ({ persisted }: Partial<PageTransitionEvent>) => this.#comeBack(persisted);
    for (const type of ['visibilitychange', 'resume']) document.addEventListener(type, back, { signal });
    for (const type of ['focus', 'pageshow']) addEventListener(type, back, { signal });
    void this.check();
  }

  get #isOver(): boolean {
    return this.#stopped.signal.aborted;
  }

  async check(): Promise<void> {
    this.#asking ??= this.#ask(this.#server.status()).finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async signOut(): Promise<void> {
    await this.#saveDraft('signed_out');
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
    this.#holds += 1;
    if (this.#holds === 1) this.#beat();
    try {
      return await (typeof work === 'function' ? work() : work);
    } finally {
      this.#holds -= 1;
      if (this.#holds === 0) this.#release();
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancelTick();
    this.#cancelRetry();
    this.#cancelBeat();
    this.#cancelRenewal?.();
    this.#panel.hide();
    if (running === this) running = undefined;
  }

  /** One beat for all operations of this page. Calls for the lease follow each other: a release never overtakes the next beat. */
  #beat(): void {
    this.#leasing = this.#leasing.then(async () => {
      if (this.#holds === 0 || this.#isOver) return;
      if ((await this.#ask(this.#server.beat())) === 'exhausted' || this.#isOver) return;
      this.#cancelBeat();
      this.#cancelBeat = this.#clock.after(this.#live?.leaseBeatMs ?? longestWaitMs, () => this.#beat());
    });
  }

  #release(): void {
    this.#leasing = this.#leasing.then(async () => {
      if (this.#holds > 0 || this.#isOver) return;
      this.#cancelBeat();
      await this.#server.release();
      await this.check();
    });
  }

  async #ask(answer: Promise<ServerAnswer>): Promise<ServerAnswer['kind']> {
    const askedAt = this.#timeline.now();
    const told = await answer;
    if (!this.#isOver && (!this.#isLeaving || told.kind === 'ended')) this.#take(told, askedAt);
    return told.kind;
  }

  #take(answer: ServerAnswer, askedAt: number): void {
    if (answer.kind === 'live') this.#adopt(answer.state, askedAt);
    if (answer.kind === 'unknown') this.#fail(answer.retryMs);
    if (answer.kind !== 'ended') return;
    // Nobody was signed in here: a public page, or the one for signing in. It stays as it is, and asks when it is shown again.
    if (this.#live === undefined) this.#settle();
    else this.#end(answer.reason);
  }

  #settle(): void {
    this.#failures = 0;
    this.#cancelRetry();
    if (this.#panel.isCover) this.#panel.hide();
  }

  #adopt(state: LiveState, askedAt: number): void {
    // Overtaken by the answer to a later question.
    if (this.#live !== undefined && askedAt < this.#answeredAt && state.now < this.#live.now) return;
    this.#live = state;
    this.#answeredAt = this.#timeline.now();
    // As of the question: a slow answer shows too little time, never too much.
    this.#aheadMs = state.now - askedAt;
    // The server's word, whatever another tab told.
    if (state.idleEndsAt !== undefined) this.#presentAt = state.idleEndsAt - (state.idleMs ?? 0);
    this.#settle();
    this.#tick();
    this.#planRenewal();
  }

  /** Nothing was decided, so nothing ends: the countdown goes on, and the server is asked again. */
  #fail(retryMs: number): void {
    const backOffMs = Math.min(soonMs * 2 ** this.#failures, longestRetryMs);
    this.#failures += 1;
    this.#tick();
    if (this.#panel.isCover) this.#panel.cover('unreachable');
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.after(
      // The server's own wish counts, as far as it makes sense.
      Math.min(Math.max(backOffMs, retryMs), longestWaitMs),
      () => void (this.#isStaying ? this.#renew() : this.check()),
    );
  }

  #tick(): void {
    this.#cancelTick();
    if (this.#isLeaving || this.#live === undefined) return;
    const { warnBeforeMs, absoluteEndsAt } = this.#live;
    const left = this.#leftMs();
    if (left <= 0) {
      // Said by nobody before the server was asked.
      this.#panel.cover(this.#failures > 0 ? 'unreachable' : 'checking');
      if (this.#failures === 0) void this.check();
      return;
    }
    const early = left - warnBeforeMs;
    const isAbsolute = absoluteEndsAt <= this.#idleEndsAt();
    if (early > 0) this.#isUnderstood = false;
    // A cover stays until the server answered.
    if (!this.#panel.isCover) {
      if (early > 0) this.#panel.hide();
      else if (!isAbsolute || !this.#isUnderstood) this.#panel.warn(Math.ceil(left / 1_000), isAbsolute);
    }
    this.#cancelTick = this.#clock.after(
      early > 0 ? Math.min(early, longestWaitMs) : left % 1_000 || 1_000,
      () => this.#tick(),
    );
  }

  #idleEndsAt(): number {
    const { idleMs } = this.#live ?? {};
    return idleMs === undefined ? Number.POSITIVE_INFINITY : this.#presentAt + idleMs;
  }

  #leftMs(): number {
    return Math.min(this.#idleEndsAt(), this.#live?.absoluteEndsAt ?? 0) - this.#serverNow();
  }

  #serverNow(): number {
    return this.#timeline.now() + this.#aheadMs;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => this.#clock.after(ms, done));
  }

  /** To come back is a question to the server, never a renewal. */
  #comeBack(isFromCache = false): void {
    if (isFromCache) this.#panel.cover('checking');
    if (document.hidden) return;
    if (!isFromCache) this.#tick();
    void this.check();
  }

  #noteInput(): void {
    // An open warning wants an answer: a mouse that is pushed by the cat is none (WCAG 2.2.1: a simple action).
    if (document.hidden || this.#panel.isOpen) return;
    this.#inputAt = this.#timeline.now();
    this.#planRenewal();
  }

  /** Tells of input once in a window, and again until the server or another tab's renewal has covered it. */
  #planRenewal(): void {
    const { renewal, renewEveryMs = 0 } = this.#live ?? {};
    if (renewal !== 'presence' || document.hidden) return;
    if (this.#cancelRenewal !== undefined || this.#inputAt <= this.#toldAt) return;
    const dueIn = this.#renewedAt + renewEveryMs - this.#timeline.now();
    this.#cancelRenewal = this.#clock.after(Math.max(soonMs, dueIn), async () => {
      await this.#renewForInput();
      this.#cancelRenewal = undefined;
      if (!this.#isOver) this.#planRenewal();
    });
  }

  /** One heartbeat for all tabs: the tab that has the lock sends it. */
  async #renewForInput(): Promise<void> {
    if (document.hidden || this.#panel.isOpen) return;
    const send = async (lock: unknown) => {
      if (lock !== null) await this.#renew();
    };
    if (navigator.locks === undefined) await send(0);
    // A page in a sandbox may use none.
    else await navigator.locks.request(this.#name, { ifAvailable: true }, send).catch(() => send(0));
  }

  #stay(): void {
    this.#inputAt = this.#timeline.now();
    this.#isStaying = true;
    void this.#renew();
  }

  async #renew(): Promise<void> {
    const [inputAt, toldBefore] = [this.#inputAt, this.#toldAt];
    this.#renewedAt = this.#timeline.now();
    this.#toldAt = inputAt;
    const kind = await this.#ask(this.#server.renew(this.#renewedAt - inputAt));
    if (this.#isOver) return;
    if (kind !== 'live') {
      this.#toldAt = toldBefore;
      return;
    }
    this.#isStaying = false;
    this.#tabs.send({ type: 'present', at: this.#presentAt });
  }

  #hear(message: TabMessage): void {
    if (message.type === 'signed-out') {
      if (this.#live !== undefined || this.#asking !== undefined) this.#end('signed_out');
      return;
    }
    // Only delays the question: at zero the server is asked all the same.
    const at = Math.min(message.at, this.#serverNow());
    if (this.#live === undefined || at <= this.#presentAt) return;
    this.#presentAt = at;
    this.#renewedAt = this.#timeline.now();
    this.#toldAt = at - this.#aheadMs;
    this.#tick();
  }

  #saveDraft(reason: Exclude<EndReason, 'unreachable'>): Promise<unknown> {
    const draft = Promise.resolve().then(() => this.#options.onBeforeSignOut?.(reason));
    return Promise.race([draft.catch(() => undefined), this.#pause(draftMs)]);
  }

  #end(reason: Exclude<EndReason, 'unreachable'>): void {
    const saved = this.#isLeaving ? undefined : this.#saveDraft(reason);
    this.stop();
    const target = this.#signInTarget(reason);
    this.#panel.cover(reason, target);
    // In a turn of its own: what it throws stops nothing here.
    queueMicrotask(() => this.#options.onEnd?.(reason));
    // Who asked to leave wants no further question.
    if (reason === 'signed_out' && target !== undefined)
      void Promise.resolve(saved).then(() => location.assign(target));
  }

  #signInTarget(reason: string): string | undefined {
    const { signInUrl } = this.#options;
    if (signInUrl === undefined) return undefined;
    const url = new URL(signInUrl, location.href);
    const { pathname, search, hash } = location;
    url.searchParams.set('reason', reason);
    // Two slashes at the front would name another host.
    url.searchParams.set('return_to', pathname.replace(/^\/+/, '/') + search + hash);
    return url.href;
  }
}
