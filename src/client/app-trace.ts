/** Where an app is in its own trace. The app hands its OpenTelemetry API in, so that the client needs none. */
import { type TraceContext, traceContextOf } from '../domain/trace-context.js';

/** `context` and `propagation` of `@opentelemetry/api`, 1.4 or later. */
export interface OpenTelemetryApi {
  readonly context: { active(): unknown };
  readonly propagation: { inject(context: never, carrier: Record<string, string>): void };
}

/** @returns a function that answers where the app is now; it never throws, and is absent outside of a trace */
export function readAppTrace(api: OpenTelemetryApi | undefined): () => TraceContext | undefined {
  if (api === undefined) return () => undefined;
  return () => {
    const carrier: Record<string, string> = {};
    try {
      api.propagation.inject(api.context.active() as never, carrier);
    } catch {
      // The app's own trouble. No sign of life is lost for a trace.
      return undefined;
    }
    return traceContextOf(carrier);
  };
}
