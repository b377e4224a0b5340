/** What `dormouse policy` refuses before it asks the gateway. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addPolicyCommands } from '../../src/policies/commands.js';

let directory: string;
let file: string;
const sound = 'id: sound\nladder:\n  warn: { after: 30d }\n';
const decision = ['--reason', 'a new rule', '--yes'];
const publish = (...args: string[]) => ['publish', file, ...args];
const rollback = (...args: string[]) => ['rollback', 'sound', ...args];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-policies-'));
  file = join(directory, 'sound.yaml');
  await writeFile(file, sound);
  // Nothing listens at the discard port, so nothing that gets beyond the checks could succeed.
  vi.stubEnv('DORMOUSE_GATEWAY', 'http://127.0.0.1:9');
  vi.stubEnv('DORMOUSE_TOKEN', 'none');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

async function dormouse(args: readonly string[]): Promise<void> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addPolicyCommands(program);
  await program.parseAsync(['policy', ...args], { from: 'user' });
}

describe('dormouse policy check --identities', () => {
  const saidOf = async (path: string, identities: string) => {
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line));
    await dormouse(['check', path, '--identities', identities]).finally(() => log.mockRestore());
    return lines.filter((line) => line.startsWith('Breaker: '));
  };

  it('a million under the default limits: each that is likely to trip, with the way out', async () => {
    const said = await saidOf('policies/default.yaml', '1000000');
    expect(said.map((line) => line.split(' within ')[0])).toEqual([
      'Breaker: 500 × revoke',
      'Breaker: 250 × deactivate',
      'Breaker: 100 × delete',
      'Breaker: 100 × bury',
    ]);
    for (const line of said)
      expect(line).toMatch(/few for 1000000 identities.*\{ atMost: none, percent: … \}$/);
  });

  it('fifty thousand under the default limits, or a million under limits that grow: nothing', async () => {
    expect(await saidOf('policies/default.yaml', '50000')).toEqual([]);
    const growing = join(directory, 'growing.yaml');
    const limit = (percent: number) => `{ atMost: none, percent: ${percent} }`;
    const limits = `revoke: ${limit(0.3)}, deactivate: ${limit(0.2)}, delete: ${limit(0.1)}, bury: ${limit(0.1)}`;
    const rest = 'recheck: 1d\nretry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }\n';
    await writeFile(growing, `${sound}${rest}breaker: { limits: { ${limits} } }\n`);
    expect(await saidOf(growing, '1000000')).toEqual([]);
  });

  it.each(['0', '-1', 'many', '1e6', '2147483648'])('%s is refused', async (identities) => {
    await expect(dormouse(['check', file, `--identities=${identities}`])).rejects.toThrow(/^--identities: /);
  });
});

describe('dormouse policy refuses', () => {
  const whole = /must be a whole number from 1 to 2147483647/;
  const bad: [what: string, args: () => string[], message: RegExp][] = [
    ['no reason', () => publish(), /--reason/],
    ['an empty reason', () => publish('--reason', ' '), /^--reason: is empty/],
    [
      'a reason of 201 characters',
      () => publish('--reason', 'x'.repeat(201)),
      /^--reason: is longer than 200/,
    ],
    [
      'a control character in the reason',
      () => rollback('--to', '1', '--reason', 'a\u0007b'),
      /^--reason: holds a control character at position 2/,
    ],
    [
      'an address in the reason',
      () => publish('--reason', 'asked by a@b.example'),
      /^--reason: looks like it holds an e-mail/,
    ],
    [
      'a file that is missing',
      () => ['publish', 'no-such.yaml', ...decision],
      /^no-such\.yaml: there is no such file/,
    ],
    ['a directory', () => ['publish', '.', ...decision], /^\.: can't be read \(EISDIR\)/],
    ['no --to', () => rollback(...decision), /--to/],
    [
      'an id that is none',
      () => ['rollback', 'A@b', '--to', '1', ...decision],
      /^id: is not the id of a policy/,
    ],
    ['an id that is none, to show', () => ['show', 'A@b'], /^id: is not the id of a policy/],
    ...['0', '-1', '2147483648', '1e3', '1.5', ''].flatMap((version): typeof bad => [
      [`--expect "${version}" of publish`, () => publish(...decision, `--expect=${version}`), whole],
      [
        `--expect "${version}" of rollback`,
        () => rollback('--to', '1', ...decision, `--expect=${version}`),
        whole,
      ],
      [`--to "${version}"`, () => rollback(`--to=${version}`, ...decision), whole],
      [`--version "${version}"`, () => ['show', 'sound', `--version=${version}`], whole],
    ]),
  ];
  it.each(bad)('%s', async (_what, args, message) => {
    await expect(dormouse(args())).rejects.toThrow(message);
  });

  const files: [what: string, content: string | Uint8Array, message: RegExp][] = [
    ['an empty one', '', /:1: the file is empty/],
    ['what is not YAML', 'id: [', /: is not YAML: /],
    ['a list', '- a\n', /:1: /],
    ['a ladder that is a number', 'id: ok\nladder: 7\n', /:2: ladder: is of the wrong kind/],
    ['an id that is none', sound.replace('sound', 'Not An Id'), /:1: id: takes lower-case letters/],
    ['an id of 33 letters', sound.replace('sound', 'a'.repeat(33)), /:1: id: takes .* 32 at most/],
    ['a NUL in a comment', `${sound}# \0\n`, /:4: holds a control character/],
    ['an escape sequence', `${sound}# \u001b[2J\n`, /:4: holds a control character/],
    ['what is not UTF-8', Uint8Array.of(0x69, 0xff, 0xfe), /: is not UTF-8/],
    ['more than a mebibyte', `${sound}# ${'x'.repeat(1_048_577)}`, /: is larger than 1048576 bytes/],
  ];
  describe.each(['publish', 'check'])('to %s a file:', (command) => {
    it.each(files)('%s', async (_what, content, message) => {
      const path = join(directory, 'bad.yaml');
      await writeFile(path, content);
      await expect(dormouse([command, path, ...(command === 'publish' ? decision : [])])).rejects.toThrow(
        message,
      );
    });
  });
});
