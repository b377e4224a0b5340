/** The header by which messages and activities carry their place in a trace. Its name and form are those of Temporal's own SDKs. */
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { type TraceContext, traceContextOf } from '../domain/trace-context.js';

const headerName = '_tracer-data';

/** @returns absent where the sender traces nothing, or sent something else */
export function traceOf(headers: Headers | undefined): TraceContext | undefined {
  const payload = headers?.[headerName];
  if (payload === undefined) return undefined;
  try {
    return traceContextOf(defaultPayloadConverter.fromPayload(payload));
  } catch {
    // Of a sender with another converter. A trace is worth no failed task.
    return undefined;
  }
}

/** @returns `input` as it is where there is no trace */
export function withTrace<Input extends { readonly headers: Headers }>(
  input: Input,
  trace: TraceContext | undefined,
): Input {
  if (trace === undefined) return input;
  const payload = defaultPayloadConverter.toPayload(trace);
  return { ...input, headers: { ...input.headers, [headerName]: payload } };
}
