/** Structured logs. They name identities by UUID only, and redact possible secrets. */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
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
