/**
 * Reads the fields that admins and their programs write by hand. Tolerant where only one meaning is
 * possible, and never guessing. A value that is not understood is reported, so that nothing harsher is done
 * than if it exempted the identity.
 */
import type { KratosIdentity } from './kratos-identity.js';

export interface Reading<Value> {
  readonly value?: Value;
  /** The field has a value that is not understood. */
  readonly isUnclear?: true;
}

type Metadata = KratosIdentity['metadata_admin'];

/**
 * Reads a word, also with spaces around it, and also as the only element of a list. Undefined, null
 * and an empty text are no word.
 */
export function readWord(metadata: Metadata, field: string): Reading<string> {
  const written = metadata?.[field];
  const found = Array.isArray(written) && written.length <= 1 ? written[0] : written;
  if (found === undefined || found === null) return {};
  if (typeof found !== 'string') return { isUnclear: true };
  const word = found.normalize('NFC').trim();
  return word === '' ? {} : { value: word };
}

/** Reads a list of words; one word counts as a list of one. Spaces around a word and empty words don't count. */
export function readWords(metadata: Metadata, field: string): Reading<readonly string[]> {
  const written = metadata?.[field];
  if (written === undefined || written === null) return {};
  const all: readonly unknown[] = Array.isArray(written) ? written : [written];
  if (!all.every((one) => typeof one === 'string')) return { isUnclear: true };
  const words = all.map((one) => one.normalize('NFC').trim()).filter((word) => word !== '');
  return words.length === 0 ? {} : { value: words };
}

/** Reads yes or no, also as the texts "true" and "false" in any case. */
export function readFlag(metadata: Metadata, field: string): Reading<boolean> {
  const written = metadata?.[field];
  if (written === undefined || written === null) return {};
  if (typeof written === 'boolean') return { value: written };
  const text = typeof written === 'string' ? written.trim().toLowerCase() : undefined;
  if (text === '') return {};
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return { isUnclear: true };
}
