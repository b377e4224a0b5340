/** Every command that the documentation shows is there, with each flag that it shows. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { createProgram } from '../../src/cli-program.js';

interface Shown {
  readonly where: string;
  readonly words: readonly string[];
}

const program = createProgram();

it('each command and flag of the documentation is one of the command line', async () => {
  const shown = await everyCommandShown();
  expect(shown.length).toBeGreaterThan(80);
  expect(shown.flatMap((one) => problemsOf(one))).toEqual([]);
});

it.each([
  ['dormouse policy check FILE --identities N', []],
  ['policy check FILE --size N', ['"policy check" has no --size']],
  ['dormouse policy weigh', ['there is no "policy weigh"']],
  ['dormouse conjure', ['there is no "conjure"']],
  ['npm run dormouse -- hold <id> --fro 180d # how long', ['"hold" has no --fro']],
  ['a policy check is good', []],
])('%s: %j', (text, problems) => {
  const found = commandsIn(`\n\`\`\`sh\n${text}\n\`\`\`\n`).flatMap((words) =>
    problemsOf({ where: '', words }),
  );
  expect(found).toEqual(problems.map((problem) => `: ${problem}`));
});

async function everyCommandShown(): Promise<Shown[]> {
  const inDocs = await readdir(join(projectDirectory, 'docs'), { recursive: true });
  const files = ['README.md', ...inDocs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
  const all = await Promise.all(
    files.map(async (where) =>
      commandsIn(await readFile(join(projectDirectory, where), 'utf8')).map((words) => ({ where, words })),
    ),
  );
  return all.flat();
}

/** Commands in lines of code blocks and in code spans: those behind `dormouse`, and those that begin with a command that has further ones. */
function commandsIn(markdown: string): string[][] {
  const blocks = [...markdown.matchAll(/^ *```(?:sh|bash)\n([\s\S]*?)^ *```/gm)].flatMap(([, text = '']) =>
    text.split('\n'),
  );
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  return [...blocks, ...spans].flatMap((text) => {
    const [line = ''] = text.split(/\s#|\s[|>]\s/);
    const words = line
      .replaceAll(/[[\]()]/g, ' ')
      .split(/\s+/)
      .filter((word) => word !== '');
    const at = words.indexOf('dormouse');
    const after = words.slice(at + 1).filter((word, index) => index > 0 || word !== '--');
    if (at >= 0) return isCommandLine(words.slice(0, at)) && after.length > 0 ? [after] : [];
    const group = program.commands.find((one) => one.name() === words[0]);
    const hasFlag = words.some((word) => word.startsWith('--'));
    return group !== undefined && words.length > 1 && (group.commands.length > 0 || hasFlag) ? [words] : [];
  });
}

/** What stands before `dormouse` in a line that runs it: nothing, `npm run`, or variables. */
function isCommandLine(before: readonly string[]): boolean {
  return before.every(
    (word) =>
      ['npm', 'run', 'npx', '$', 'docker', 'compose', 'exec'].includes(word) || /^[A-Z_]+=/.test(word),
  );
}

function problemsOf({ where, words }: Shown): string[] {
  const path: string[] = [];
  let command: Command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    path.push(word);
  }
  const [word = ''] = words.slice(path.length);
  if (command.commands.length > 0 && /^[a-z-]+$/.test(word) && !word.startsWith('-')) {
    return [`${where}: there is no "${[...path, word].join(' ')}"`];
  }
  const known = new Set(command.options.flatMap(({ long, short }) => [long, short]));
  return words
    .map((one) => /^--[a-z][a-z-]*/.exec(one)?.[0])
    .filter((flag) => flag !== undefined && flag !== '--help' && !known.has(flag))
    .map((flag) => `${where}: "${path.join(' ')}" has no ${flag}`);
}
