/** A policy as an operator names it: a file, `preset:NAME`, or `id` and `id@version`, which the gateway has. */
import { isPublishedName, type NamedPolicy, readNamedPolicy } from '../policies/named.js';
import { AlteredPolicyError } from '../policies/policies-table.js';
import { parsePolicyFile } from '../policies/yaml.js';
import type { GatewayCalls } from './gateway-calls.js';

/** What the gateway answers of a published version. */
export interface PublishedText {
  readonly id: string;
  readonly version: number;
  readonly hash: string;
  readonly isIntact: boolean;
  readonly text: string;
}

/**
 * @param gateway is asked for a published version only, and opened only then
 * @throws PolicyFileError, CliError, and Error where there is no such file or preset
 */
export async function namedPolicy(name: string, gateway: () => Promise<GatewayCalls>): Promise<NamedPolicy> {
  if (!isPublishedName(name)) {
    return readNamedPolicy(name, () => {
      throw new Error('only a file or a preset is read here');
    });
  }
  const [id = '', version] = name.split('@');
  const published = await publishedText(await gateway(), id, version);
  if (!published.isIntact) throw altered(published);
  return { name, text: published.text, policy: parsePolicyFile(published.text, name) };
}

/** @throws CliError */
export function publishedText(
  gateway: GatewayCalls,
  id: string,
  version: string | number | undefined,
): Promise<PublishedText> {
  return gateway.get(`/v1/policies/${encodeURIComponent(id)}`, { version });
}

/** Nothing acts by such a text. */
export const altered = (published: PublishedText): AlteredPolicyError => new AlteredPolicyError(published);
