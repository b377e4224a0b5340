import type pg from 'pg';
import { expect, it, vi } from 'vitest';
import { PresenceWriter } from '../../src/middleware/idle-sessions/presence-writer.js';

/** PostgreSQL, away and back. Counts statements. */
function database() {
  const outside = { isAway: true, statements: 0 };
  const query = async (_text: string, [ids]: [string[]]) => {
    outside.statements += 1;
    if (outside.isAway) throw new Error('connection refused');
    return { rows: ids.map((id) => ({ session_id: id })) };
  };
  return { outside, pool: { query } as unknown as pg.Pool };
}

it('an outage is told once a statement, however many presences wait, and each is written afterwards', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'setImmediate'] });
  try {
    const { outside, pool } = database();
    const errors: unknown[] = [];
    const writer = new PresenceWriter(pool, (error) => errors.push(error));
    for (let n = 0; n < 900; n += 1)
      writer.writeLater({ sessionId: `session-${n}`, kind: 'person', at: n }, 100);
    await vi.advanceTimersByTimeAsync(300);
    expect([outside.statements, errors.length]).toEqual([1, 1]);
    outside.isAway = false;
    await vi.advanceTimersByTimeAsync(1_500);
    expect(outside.statements).toBe(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(outside.statements).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});
