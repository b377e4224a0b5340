/** A policy as an operator names it: a file, `id`, `id@version`, or `preset:NAME`. */
import type pg from 'pg';
import type { Policy } from '../domain/policy/schema.js';
import { checkedPolicyId } from './id-parameter.js';
import { AlteredPolicyError, isIntact, readPolicyRow } from './policies-table.js';
import { presetNamed, readPreset } from './presets.js';
import { readPolicyFile } from './read-file.js';
import { parsePolicyFile } from './yaml.js';

export interface NamedPolicy {
  /** As messages call it. */
  readonly name: string;
  readonly text: string;
  readonly policy: Policy;
}

const published = /^([a-z0-9-]+)(?:@(\d{1,9}))?$/;

/** Whether the name means a published version, which takes the database. */
export function isPublishedName(name: string): boolean {
  return published.test(name);
}

/**
 * @param pool is asked for a published version only
 * @throws PolicyFileError, UnknownPolicyError, AlteredPolicyError, and Error where there is no such file or preset
 */
export async function readNamedPolicy(name: string, pool: () => pg.Pool): Promise<NamedPolicy> {
  const text = await textOf(name, pool);
  return { name, text, policy: parsePolicyFile(text, name) };
}

async function textOf(name: string, pool: () => pg.Pool): Promise<string> {
  const preset = presetNamed(name);
  if (preset !== undefined) return readPreset(preset);
  const [, id, version] = published.exec(name) ?? [];
  if (id === undefined) return readPolicyFile(name);
  const wanted = version === undefined ? undefined : Number(version);
  const row = await readPolicyRow(pool(), checkedPolicyId('policy', id), wanted);
  if (!isIntact(row)) throw new AlteredPolicyError(row);
  return row.source;
}
