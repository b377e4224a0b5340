import { expect, it, vi } from 'vitest';
import { type Seen, SeenWriter } from '../../src/middleware/seen-writer.js';

interface Sight extends Seen {
  readonly id: string;
}

/** PostgreSQL, away and back. Keeps what each statement wrote. */
function database() {
  const outside = { isAway: true, statements: 0, written: new Map<string, number>() };
  const write = async (batch: readonly Sight[]) => {
    outside.statements += 1;
    if (outside.isAway) throw new Error('connection refused');
    for (const { id, at } of batch) outside.written.set(id, at);
    return () => true;
  };
  return { outside, write };
}

it('an outage is told once a statement, however many sights wait, and each is written afterwards, as it was seen last', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'setImmediate'] });
  try {
    const { outside, write } = database();
    const errors: unknown[] = [];
    const writer = new SeenWriter<Sight>({
      keyOf: ({ id }) => id,
      write,
      onError: (error) => errors.push(error),
    });
    for (let n = 0; n < 900; n += 1) {
      writer.writeLater({ id: `session-${n}`, at: n }, 100);
      writer.writeLater({ id: `session-${n}`, at: n + 1_000 }, 100);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect([outside.statements, errors.length]).toEqual([1, 1]);
    outside.isAway = false;
    await vi.advanceTimersByTimeAsync(1_500);
    expect(outside.statements).toBe(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(outside.statements).toBe(2);
    expect([outside.written.size, outside.written.get('session-899')]).toEqual([900, 1_899]);
  } finally {
    vi.useRealTimers();
  }
});
