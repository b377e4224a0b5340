/** JSON lines of a long answer. */
import { expect, it } from 'vitest';
import { CliError } from '../../src/cli/exit-codes.js';
import { jsonLines } from '../../src/cli/lines.js';

async function read(...parts: readonly string[]): Promise<unknown[]> {
  const rows: unknown[] = [];
  const bytes = (async function* () {
    for (const part of parts) yield new TextEncoder().encode(part);
  })();
  for await (const row of jsonLines(bytes)) rows.push(row);
  return rows;
}

it('lines are read wherever the answer was cut', async () => {
  expect(await read('{"a":', '1}\n{"a"', ':2}\n')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(await read()).toEqual([]);
});

it('a line that is no JSON, or that does not end, is refused', async () => {
  await expect(read('<html>\n')).rejects.toThrow(CliError);
  let sent = 0;
  const endless = (async function* () {
    for (;;) {
      sent += 1;
      // A reader that waits for the end of the line would never come back.
      if (sent > 100) throw new Error('it was read on and on');
      yield new TextEncoder().encode('x'.repeat(100_000));
    }
  })();
  await expect(jsonLines(endless).next()).rejects.toThrow(CliError);
});
