/** What the rung `delete` does to an identity, in plain numbers. Pure. */
import type { TraitsTemplate } from './policy/deletion.js';

export interface ExportHook {
  /** Where the app's worker listens. */
  readonly taskQueue: string;
  /** The activity's type. */
  readonly activity: string;
  /** How long one attempt may take. Milliseconds. */
  readonly timeoutMs: number;
}

export interface DeletionPlan {
  readonly action: 'delete' | 'anonymise';
  /** Traits of the shell that `anonymise` leaves. */
  readonly anonymousTraits?: TraitsTemplate;
  readonly export?: ExportHook;
  /** How long the identifiers can't be registered again. Milliseconds; absent: not remembered. */
  readonly refuseIdentifiersForMs?: number;
}

/** The input of the app's export activity. */
export interface ExportRequest {
  readonly schemaVersion: 1;
  readonly identityId: string;
  readonly action: 'delete' | 'anonymise';
  /** The same for every attempt at the same export. */
  readonly key: string;
}

/** The answer of the export activity: where the export is, as an opaque reference without personal data. */
export interface ExportAnswer {
  readonly reference?: string;
}

const referencePattern = /^[\w.:/=+-]{1,200}$/;

/**
 * @returns the reference, or `undefined` where there is none.
 * @throws RangeError when it can't stand in an audit log
 */
export function exportReference(answer: unknown): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  const reference: unknown =
    typeof answer === 'object' && 'reference' in answer ? answer.reference : undefined;
  if (reference === undefined) return undefined;
  if (typeof reference === 'string' && referencePattern.test(reference)) return reference;
  throw new RangeError(
    'the reference must be an opaque text of at most 200 letters, digits and . : / = + _ -',
  );
}

/** Replaces `{id}` in every text of the template. */
export function anonymousTraits(template: TraitsTemplate, identityId: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fill(value, identityId)]));
}

function fill(value: unknown, identityId: string): unknown {
  if (typeof value === 'string') return value.replaceAll('{id}', identityId);
  if (Array.isArray(value)) return value.map((item) => fill(item, identityId));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, identityId)]));
}
