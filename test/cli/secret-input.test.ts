/** How the command line reads a secret: what is typed at a terminal is not shown. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { readSecret } from '../../src/cli/secret-input.js';

const secret = `dmc_${'A'.repeat(49)}`;

function terminal(typed: string) {
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  input.write(typed);
  return { input, modes };
}

function screen() {
  const output = new PassThrough();
  return { output, shown: () => String(output.read() ?? '') };
}

it('a secret that is typed is not shown, and the terminal echoes again afterwards', async () => {
  const { input, modes } = terminal(`${secret}\r`);
  const { output, shown } = screen();
  expect(await readSecret('Paste it:', { input, output })).toBe(secret);
  expect(shown()).toBe('Paste it:\n');
  expect(modes).toEqual([true, false]);
});

it('nothing typed before the end of the input is nothing', async () => {
  const { input } = terminal('\u0004');
  expect(await readSecret('Paste it:', { input, output: screen().output })).toBe('');
});

it('what is piped in is taken whole, without a prompt', async () => {
  const { output, shown } = screen();
  const input = new PassThrough();
  input.end(`${secret}\n`);
  expect(await readSecret('Paste it:', { input, output })).toBe(secret);
  expect(shown()).toBe('');
});
