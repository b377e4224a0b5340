/** The presets that are shipped in `policies/presets`: policies to start from, each with what it satisfies and what not. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readPolicyFile } from './read-file.js';

/** Beside `src` in a checkout, beside `dist` in the image. */
const folder = fileURLToPath(new URL('../../policies/presets/', import.meta.url));
const suffix = '.yaml';

const prefix = 'preset:';

/** @returns the preset that `preset:NAME` names, or `undefined` where something else is named */
export function presetNamed(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** @returns their names, in order */
export async function presetNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : [])).sort();
}

/** @returns the preset's text. @throws Error that names the presets there are */
export async function readPreset(name: string): Promise<string> {
  const names = await presetNames();
  if (names.includes(name)) return readPolicyFile(`${folder}${name}${suffix}`);
  throw new Error(`there is no such preset. There are: ${names.join(', ')}`);
}
