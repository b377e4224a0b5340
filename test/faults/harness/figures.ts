/** Keeps the figures of a part of the harness for docs/reliability.md; the short form keeps none. Node only. */
import { writeFigures } from '../../../tools/reliability/document.js';
import { isFull } from './size.js';

/** What every part reports. */
export interface Figures {
  readonly part: string;
  /** What was tried, in words, with its size. */
  readonly tried: string;
  readonly steps: number;
  readonly faults: number;
  readonly wrongful: number;
  readonly missed: number;
  readonly stuck: number;
  readonly duplicateMails: number;
  /** Places of personal data after deletion; absent where the part does not look. */
  readonly leftovers?: number;
  readonly byKind?: Readonly<Record<string, number>>;
  /** What a reader must know of how it was run. */
  readonly notes: readonly string[];
}

export async function keepFigures(figures: Figures): Promise<void> {
  console.log(`${figures.part}: ${JSON.stringify(figures)}`);
  if (isFull) await writeFigures(`faults-${figures.part}`, figures);
}

/** How often each word occurs, sorted. */
export function counted(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
