/**
 * Paces the calls of one process to an outside system. Places come from the table that all workers of the installation share;
 * the order in which calls of this process take them is decided here, when a place is due.
 */
import { createUsualLatency } from '../domain/pace/latency.js';
import { nothingSeen, type PaceReport, type Places } from '../domain/pace/pace.js';
import { tryAgain } from '../process/step-error.js';
import { noteCall } from '../process/urgency.js';
import { createWaitingCalls, type Rank } from './waiting-calls.js';

export interface Answer {
  /** The method and path, without ids. */
  readonly operation: string;
  readonly tookMs: number;
  /** The HTTP status; absent: none came. */
  readonly status?: number;
  /** `Retry-After`, milliseconds. */
  readonly retryAfterMs?: number;
}

export interface CallPacer {
  /**
   * Waits for the place of one call.
   * @throws StepError `…Busy` where the system wants no call for longer than a few seconds: the wait between two attempts can
   * be interrupted, an attempt can't
   */
  place(): Promise<void>;
  /** Takes in what came of the call. */
  answered(answer: Answer): void;
  figures(): CallFigures;
}

export interface CallFigures {
  /** Calls a second for the whole installation, as last read; absent: not read yet. */
  readonly rate?: number;
  readonly waiting: number;
  /** Since the process started. */
  readonly refused: number;
  readonly slow: number;
}

export interface CallPacerOptions {
  readonly system: 'Kratos' | 'Hydra';
  readonly take: (
    report: PaceReport,
    wanted: number,
  ) => Promise<{ readonly places: Places; readonly rate: number }>;
  /** The rate while the table can't be reached before it was ever read, calls a second. */
  readonly firstRate: number;
  readonly onError: (error: unknown) => void;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** A longer pause is waited for between attempts, not in one. */
const longestPauseMs = 5_000;
/** Places are fetched ahead for so long, so that a call rarely waits for the table. */
const aheadMs = 50;
/** A place that nobody took by then is gone: the system's rest is not saved up. */
const keptMs = 500;
/** How soon the table is asked again where it has no place. */
const soonestMs = 10;
const latestMs = 250;

export function createCallPacer(options: CallPacerOptions): CallPacer {
  const { system, now, sleep } = options;
  const waiting = createWaitingCalls();
  const usual = createUsualLatency();
  let places: number[] = [];
  let report = nothingSeen;
  let rate: number | undefined;
  let totals = { refused: 0, slow: 0 };
  let isServing = false;

  const fetchPlaces = async (wanted: number) => {
    const told = report;
    report = nothingSeen;
    try {
      const answer = await options.take(told, wanted);
      rate = answer.rate;
      return answer.places;
    } catch (error) {
      // Without the table each process goes on at the last rate. The report is told later.
      report = sumOf(told, report);
      options.onError(error);
      const everyMs = 1_000 / (rate ?? options.firstRate);
      return { count: 1, firstInMs: everyMs, everyMs, pausedForMs: 0 };
    }
  };

  const fill = async () => {
    const ahead = Math.floor(((rate ?? 0) * aheadMs) / 1_000);
    const askedAt = now();
    const { count, firstInMs, everyMs, pausedForMs } = await fetchPlaces(Math.max(waiting.size, ahead, 1));
    if (count > 0) {
      places = Array.from({ length: count }, (_, index) => askedAt + firstInMs + index * everyMs);
    } else if (pausedForMs > longestPauseMs) {
      for (const call of waiting.all())
        call.refuse(
          tryAgain(`${system}Busy`, `${system} wants no calls for a while`, Math.ceil(pausedForMs)),
        );
    } else {
      await sleep(Math.min(Math.max(firstInMs, soonestMs), latestMs));
    }
  };

  const serve = async () => {
    isServing = true;
    while (waiting.size > 0) {
      const place = places.shift();
      if (place === undefined) await fill();
      else if (now() - place < keptMs) {
        if (place > now()) await sleep(place - now());
        // guard: pace: the most urgent call takes the place that is due
        waiting.next()?.go();
      }
    }
    isServing = false;
  };

  return {
    place() {
      const { urgency, isUnderWay } = noteCall();
      const rank: Rank = urgency === 'step' && isUnderWay ? 'under-way' : urgency;
      return new Promise((go, refuse) => {
        waiting.add({ rank, go, refuse });
        if (!isServing) void serve();
      });
    },
    answered({ operation, tookMs, status, retryAfterMs = 0 }) {
      const isRefused = status === 429 || status === 503;
      const isSlow = !isRefused && usual.isSlow(operation, tookMs, now());
      totals = { refused: totals.refused + Number(isRefused), slow: totals.slow + Number(isSlow) };
      const seen = { answers: 1, slow: Number(isSlow), refused: Number(isRefused) };
      report = sumOf(report, { ...seen, retryAfterMs: isRefused ? retryAfterMs : 0 });
      if (!isRefused) return;
      // The others hear of it at once, and places in hand were given before it.
      places = [];
      if (!isServing) void fetchPlaces(0);
    },
    figures: () => ({ ...totals, waiting: waiting.size, ...(rate === undefined ? {} : { rate }) }),
  };
}

function sumOf(one: PaceReport, other: PaceReport): PaceReport {
  return {
    answers: one.answers + other.answers,
    slow: one.slow + other.slow,
    refused: one.refused + other.refused,
    retryAfterMs: Math.max(one.retryAfterMs, other.retryAfterMs),
  };
}
