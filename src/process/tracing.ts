/**
 * Spans of distributed traces, as the rooms see them. Nobody traces until an entry point calls {@link useTracer}
 * (observability/start-tracing.ts); without it each function here costs one comparison. Needs nothing, so that the client may carry it.
 *
 * Names and attributes of spans hold what logs may hold: UUIDs, types and counts. Never an address, a value of a statement, an
 * address of a page, a token, a reason, or the message of an error.
 */
import { given } from '../domain/given.js';
import type { TraceContext } from '../domain/trace-context.js';

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  /** Default: `internal`. */
  readonly kind?: SpanKind;
  readonly attributes?: SpanAttributes;
  /** `none`: a new trace. Default: the span that is active here, else a new trace. */
  readonly parent?: TraceContext | 'none';
  readonly links?: readonly TraceContext[];
  /** Epoch milliseconds. Default: now. */
  readonly startedAt?: number;
}

export interface Span {
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  /** @param errorType a stable type or code, never a message */
  fail(errorType: string): void;
  end(): void;
  /** Runs `work` with this span as the active one. */
  within<T>(work: () => T): T;
}

/** A span that somebody else began and ended, with ids of their own. */
export interface FinishedSpan {
  readonly name: string;
  readonly context: TraceContext;
  /** Absent: the trace begins with it. */
  readonly parent?: TraceContext;
  readonly links: readonly TraceContext[];
  readonly attributes: SpanAttributes;
  /** Epoch milliseconds, both. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Tracer {
  open(start: SpanStart): Span;
  /** Where we are; absent outside of any trace. */
  active(): TraceContext | undefined;
  /** Runs `work` at a place in a trace; outside of any where it is absent. */
  within<T>(context: TraceContext | undefined, work: () => T): T;
  take(finished: FinishedSpan): void;
}

let tracer: Tracer | undefined;

/** @param next absent: nobody traces any more */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** @returns absent where nobody traces */
export function tracing(): Tracer | undefined {
  return tracer;
}

/** Runs `work` at a place in a trace; outside of any where it is absent, whoever's trace is active here. */
export function within<T>(context: TraceContext | undefined, work: () => T): T {
  return tracer === undefined ? work() : tracer.within(context, work);
}

/** Runs `work` in a span of its own. Its failure is the span's. */
export async function inSpan<T>(start: SpanStart, work: (span?: Span) => Promise<T>): Promise<T> {
  if (tracer === undefined) return work();
  const span = tracer.open(start);
  try {
    return await span.within(() => work(span));
  } catch (error) {
    span.fail(errorTypeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** The same for a call of another system: only within a trace, so that what a process does on its own begins none. */
export async function inCall<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span?: Span) => Promise<T>,
): Promise<T> {
  const parent = tracer?.active();
  return parent === undefined ? work() : inSpan({ name, kind: 'client', attributes }, work);
}

/** What signs carry through memory: where in a trace they were reported. */
export function activeTrace(): { readonly trace?: TraceContext } {
  return tracer === undefined ? {} : given({ trace: tracer.active() });
}

const stableCode = /^[A-Za-z0-9_.]{1,60}$/;

/** A stable type: of a step error, a system's code, else the name of the class. Messages may quote anything. */
export function errorTypeOf(error: unknown): string {
  for (const name of ['type', 'code', 'name'] as const) {
    const value = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
    if (typeof value === 'string' && stableCode.test(value)) return value;
  }
  return 'unknown';
}
