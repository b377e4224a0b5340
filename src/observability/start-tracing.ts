/** Turns tracing on where a collector is configured. Without one, nothing of OpenTelemetry's SDK is loaded. */
import type { Config } from '../config.js';
import type { Logger } from '../process/logger.js';
import { useTracer } from '../process/tracing.js';

export const tracingVariables = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
] as const;
export type TracingConfig = Pick<Config, (typeof tracingVariables)[number]>;

/**
 * To be called before connections are opened: those opened earlier have no spans.
 * @param serviceName where OTEL_SERVICE_NAME is unset
 * @returns absent where nobody traces; `close` exports what is left
 */
export async function startTracing(
  config: TracingConfig,
  serviceName: string,
  log: Pick<Logger, 'warn'>,
): Promise<{ close(): Promise<void> } | undefined> {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  const { createOtlpTracer } = await import('./otlp-tracer.js');
  const tracer = createOtlpTracer({
    endpoint,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: config.OTEL_SERVICE_NAME ?? serviceName,
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    onLost: (spans) => log.warn({ spans }, 'the collector did not take spans: they are lost'),
  });
  useTracer(tracer);
  return {
    async close() {
      useTracer(undefined);
      await tracer.close();
    },
  };
}
