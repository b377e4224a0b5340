/** Addresses that hold nothing but where something is. Pure. */

/** @returns the address; `undefined` where the text is none, or has credentials, a query or a fragment */
export function plainUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { username, password, search, hash } = url;
  return [username, password, search, hash].every((part) => part === '') ? url : undefined;
}
