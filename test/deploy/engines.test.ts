/** The releases of Node.js that the published packages and the engine declare. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it.each([
  'package.json',
  'packages/client/package.json',
  'packages/browser/package.json',
])('%s: no release of Node.js that gets no security fixes any more (20 and older)', async (file) => {
  const { engines } = JSON.parse(await readFile(file, 'utf8')) as { engines?: { node?: string } };
  // A package for pages names none.
  const [, oldest] = /^>=(\d+)/u.exec(engines?.node ?? '>=22') ?? [];
  expect(Number(oldest)).toBeGreaterThanOrEqual(22);
});
