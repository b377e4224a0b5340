/** @returns the value, or `undefined` where the text is no JSON: what is expected of it, the caller's schema says */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
