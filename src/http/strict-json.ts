/**
 * Strict JSON for the gateway: no duplicate keys (two readers of the same bytes could otherwise see different
 * identities), and no `__proto__`. Knows nothing of HTTP.
 */
import { InvalidRequestError } from '../process/caller-errors.js';

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** @throws InvalidRequestError; its message never repeats the input */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidRequestError('body: is not JSON. Send one JSON object in UTF-8');
  }
  refuseAmbiguousKeys(text);
  return value;
}

/** Walks over the tokens of valid JSON text. Linear in its length, and not recursive. */
function refuseAmbiguousKeys(text: string): void {
  const open: Set<string>[] = [];
  let last = '';
  for (const [found] of text.matchAll(token)) {
    if (found === '{' || found === '[') open.push(new Set());
    else if (found === '}' || found === ']') open.pop();
    else if (found === ':') takeKey(open.at(-1), last);
    last = found;
  }
}

function takeKey(keys: Set<string> | undefined, quoted: string): void {
  // Unescaped, because "\u0061" and "a" are the same key.
  const key = String(JSON.parse(quoted));
  if (key === '__proto__') throw new InvalidRequestError('body: has the key __proto__. Leave it out');
  if (keys?.has(key) === true) throw new InvalidRequestError('body: has a key twice. Send each field once');
  keys?.add(key);
}
