/** Tells the server of a person's input: once in a window, by one tab for all. */
import type { PageClock } from './clock.js';
import type { Timeline } from './timeline.js';

const soonMs = 1_000;

export interface RenewalParts {
  readonly clock: PageClock;
  readonly timeline: Timeline;
  /** Of the lock that all tabs share. */
  readonly lock: string;
  /** The window, milliseconds; `undefined`: this session is not renewed by input. */
  readonly everyMs: () => number | undefined;
  /** Whether a dialog is open: it wants an answer, and a mouse that is pushed by the cat is none (WCAG 2.2.1: a simple action). */
  readonly isAsked: () => boolean;
  /** @returns whether the session is live */
  readonly renew: (idleForMs: number) => Promise<boolean>;
}

export interface Renewals {
  noteInput(): void;
  /** Tells of input that is still to be told. */
  plan(): void;
  /** The person answered the warning. */
  stay(): void;
  /** Whether such an answer is still to be told. */
  isStaying(): boolean;
  renew(): Promise<void>;
  /** Another tab has renewed. @param at the input that was told, on the timeline */
  told(at: number): void;
}

export function startRenewals(parts: RenewalParts): Renewals {
  const { clock, timeline, lock, everyMs, isAsked } = parts;
  // All on the timeline. `toldAt`: the input that the server knows of.
  let inputAt = 0;
  let toldAt = 0;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let isStaying = false;
  let isPlanned = false;

  const renew = async () => {
    const toldBefore = toldAt;
    renewedAt = timeline();
    toldAt = inputAt;
    const isLive = await parts.renew(renewedAt - inputAt);
    if (isLive) isStaying = false;
    else toldAt = toldBefore;
  };
  /** One heartbeat for all tabs: the tab that has the lock sends it. */
  const renewForInput = async () => {
    if (document.hidden || isAsked()) return;
    const send = async (taken: unknown) => {
      if (taken !== null) await renew();
    };
    if (navigator.locks === undefined) await send(0);
    // A page in a sandbox may use none.
    else await navigator.locks.request(lock, { ifAvailable: true }, send).catch(() => send(0));
  };
  const plan = () => {
    const windowMs = everyMs();
    if (windowMs === undefined || document.hidden || isPlanned || inputAt <= toldAt) return;
    isPlanned = true;
    clock.after(Math.max(soonMs, renewedAt + windowMs - timeline()), async () => {
      await renewForInput();
      isPlanned = false;
      // Again until the server or another tab's renewal has covered it.
      plan();
    });
  };
  return {
    noteInput() {
      if (document.hidden || isAsked()) return;
      inputAt = timeline();
      plan();
    },
    plan,
    stay() {
      inputAt = timeline();
      isStaying = true;
      void renew();
    },
    isStaying: () => isStaying,
    renew,
    told(at) {
      renewedAt = timeline();
      toldAt = at;
    },
  };
}
