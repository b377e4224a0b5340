import { type SessionsPolicy, sessionsSection } from '../../../src/domain/sessions/policy.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const at = Date.parse('2026-03-02T09:00:00Z');

/** A policy as a file writes it, with 30 minutes idle and 12 hours absolute unless `fields` say otherwise. */
export function sessionsPolicy(fields: Record<string, unknown> = {}): SessionsPolicy {
  const parsed = sessionsSection.parse({ idle: '30m', absolute: '12h', ...fields });
  return parsed;
}
