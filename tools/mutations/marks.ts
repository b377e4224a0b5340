/** Marks of guards in the sources: a comment `guard: <name>` on a line of its own, above the code that it marks. Node only. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Mark {
  readonly name: string;
  /** Its file, from the root of the project. */
  readonly file: string;
  /** Offset behind the mark's line. */
  readonly end: number;
}

const markLine = /^[ \t]*(?:\/\/|--) guard: (.+)$/gm;

export function marksIn(file: string, text: string): readonly Mark[] {
  return [...text.matchAll(markLine)].map((match) => ({
    name: match[1]?.trim() ?? '',
    file,
    end: match.index + match[0].length,
  }));
}

/** All marks below `src`, sorted by file. */
export async function readMarks(directory: string): Promise<readonly Mark[]> {
  const files = await readdir(join(directory, 'src'), { recursive: true });
  const sources = files.filter((file) => /\.(ts|sql)$/.test(file)).sort();
  const marks = await Promise.all(
    sources.map(async (name) => {
      const file = join('src', name);
      return marksIn(file, await readFile(join(directory, file), 'utf8'));
    }),
  );
  return marks.flat();
}
