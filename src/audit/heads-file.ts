/** Reads a file of exported heads: JSON lines, as `dormouse audit heads export` writes them. */
import { z } from 'zod';
import { ConfigError } from '../config.js';
import { parseJson } from '../process/parse-json.js';
import type { SignedHead } from './heads-table.js';

const headSchema = z.strictObject({
  seq: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.int(),
  keyId: z.string(),
  signature: z.string(),
});

/**
 * @param file its name, for messages
 * @throws ConfigError naming the first line that is not a head
 */
export function parseHeads(text: string, file: string): SignedHead[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = headSchema.safeParse(parseJson(line));
    if (parsed.success) return [parsed.data];
    throw new ConfigError(
      `${file}:${index + 1} is no signed head. Give a file that "dormouse audit heads export" wrote`,
    );
  });
}
