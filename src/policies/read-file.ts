/** Reads a policy file from the disk. policies/yaml.ts checks its content. */
import { readFile, stat } from 'node:fs/promises';

/** A policy takes a few kB. Bytes. */
const largestFile = 1_048_576;

/**
 * @returns the file's exact text: its hash is that of the file
 * @throws Error naming the file, the problem and the way out
 */
export async function readPolicyFile(file: string): Promise<string> {
  const bytes = await bytesOf(file);
  try {
    // Fatal, because a replaced character would be published as another one.
    // guard: policies: what is not UTF-8 is not published as something else
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Error(`${file}: is not UTF-8. Save it in that encoding`, { cause: error });
  }
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size <= largestFile) return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
    const problem = code === 'ENOENT' ? 'there is no such file' : `can't be read (${code})`;
    throw new Error(`${file}: ${problem}. Name a policy file; policies/default.yaml is one`, {
      cause: error,
    });
  }
  throw new Error(`${file}: is larger than ${largestFile} bytes. A policy takes a few thousand`);
}
