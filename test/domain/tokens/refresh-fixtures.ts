import { type RefreshPolicy, refreshSection } from '../../../src/domain/tokens/refresh-policy.js';

export const at = Date.parse('2026-03-02T09:00:00Z');

/** The seed's own figures unless `fields` say otherwise. */
export function refreshPolicy(fields: Record<string, unknown> = {}): RefreshPolicy {
  return refreshSection.parse(fields);
}
