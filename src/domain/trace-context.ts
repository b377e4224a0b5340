/** A place in a distributed trace, as systems tell each other (W3C Trace Context, https://www.w3.org/TR/trace-context/). Pure. */

export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
  /** The trace begins here, and whether it is sampled is not decided yet: whoever receives this decides by the trace's id. */
  readonly undecided?: true;
}

/** Version, trace id, span id, flags. Ids of zeros only are invalid (section 3.2). */
export const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Section 3.3.1.5: what a system hands on of a trace state at least; more than that is left out. */
const longestTracestate = 512;
const tracestatePattern = /^[\x20-\x7e\t]*$/;

/** @returns what can be used of a trace context from outside: absent where `traceparent` is none */
export function traceContextOf(value: unknown): TraceContext | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { traceparent, tracestate, undecided } = value as Record<string, unknown>;
  if (typeof traceparent !== 'string' || !traceparentPattern.test(traceparent)) return undefined;
  const isUsable =
    typeof tracestate === 'string' &&
    tracestate !== '' &&
    tracestate.length <= longestTracestate &&
    tracestatePattern.test(tracestate);
  return {
    traceparent,
    ...(isUsable && { tracestate }),
    ...(undecided === true && { undecided }),
  };
}
