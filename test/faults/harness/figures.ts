/** Keeps the figures of a part of the harness for docs/reliability.md; the short form keeps none. Node only. */
import { writeFigures } from '../../../tools/reliability/document.js';
import { type Figures, triedOf } from '../../../tools/reliability/figures.js';
import { isFull, share } from './size.js';

export async function keepFigures(measured: Omit<Figures, 'measured' | 'code' | 'share'>): Promise<void> {
  const code = process.env.DORMOUSE_FAULTS_CODE;
  const figures: Figures = {
    ...measured,
    measured: new Date().toISOString().slice(0, 10),
    ...(code !== undefined && { code }),
    ...(share !== undefined && { share }),
  };
  console.log(`${figures.part}: ${triedOf(figures)}; ${JSON.stringify(figures)}`);
  const name = share === undefined ? figures.part : `${figures.part}.${share.nth}-of-${share.of}`;
  if (isFull) await writeFigures(`faults-${name}`, figures);
}

/** How often each word occurs, sorted. */
export function counted(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
