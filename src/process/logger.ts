/** Structured logs. They name identities by UUID only, and redact possible secrets. */
import { type Logger, pino } from 'pino';
import { traceparentPattern } from '../domain/trace-context.js';
import { tracing } from './tracing.js';

export type { Logger } from 'pino';

export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    mixin: placeInTrace,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers.cookie',
        'headers.authorization',
        '*.password',
        '*.token',
      ],
      censor: '[redacted]',
    },
  });
}

/** The names that OpenTelemetry gives to the ids in logs that are no OTLP. Where nobody traces, nothing is added. */
function placeInTrace(): object {
  const active = tracing()?.active();
  const [, traceId, spanId, flags] = traceparentPattern.exec(active?.traceparent ?? '') ?? [];
  return traceId === undefined ? {} : { trace_id: traceId, span_id: spanId, trace_flags: flags };
}
