/**
 * Free text that people write: a reason, a remark. Every entry point applies the same rule, so that accepted
 * text can be stored in PostgreSQL, fits on one line and reads as it was written. Pure.
 */

export interface TextLimits {
  /** Characters (code points) at most, after normalisation. */
  readonly characters: number;
}

/** Characters that a text must not contain. The name stands in the refusal. */
const refused: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a control character', /\p{Cc}/u],
  ['half of a surrogate pair', /\p{Cs}/u],
  // They reorder the text around them, so that a line reads differently than it was
  // written (Unicode TR36, section 2.5).
  ['a character that changes the direction of writing', /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u],
  ['a line or paragraph separator', /[\u2028\u2029]/u],
  // The two joiners are allowed: several languages, and many emoji, need them.
  ['an invisible formatting character', /(?![\u200C\u200D])\p{Cf}/u],
  ['a private-use character', /\p{Co}/u],
  ['a code point that is no character', /\p{Noncharacter_Code_Point}/u],
];

/**
 * @returns what is wrong with the text, with the position of the first refused character (from 1), or
 * `undefined`. Never repeats the text
 */
export function textProblem(text: string, { characters }: TextLimits): string | undefined {
  const points = [...normalText(text)];
  if (points.length > characters) return `is longer than ${characters} characters`;
  for (const [index, point] of points.entries()) {
    const found = refused.find(([, pattern]) => pattern.test(point));
    if (found !== undefined) return `holds ${found[0]} at position ${index + 1}. Write it without`;
  }
  return undefined;
}

/** The form in which text is stored and compared: Unicode NFC. */
export function normalText(text: string): string {
  return text.normalize('NFC');
}

/** Characters that PostgreSQL accepts neither in text nor in JSON. */
const unstorable = /\0|\p{Cs}/gu;

/**
 * Replaces each character that PostgreSQL refuses with U+FFFD. Meant for text that was accepted before the
 * rule existed: one character must not keep a whole record from being written.
 */
export function storable<T>(value: T): T {
  return storableValue(value) as T;
}

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(unstorable, '\uFFFD');
  if (Array.isArray(value)) return value.map(storableValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [storableValue(name), storableValue(item)]),
  );
}
