/** What can come next on a command line, from the commands themselves. Asks no gateway: a shell waits for the answer at each key. */
import type { Command, Option } from 'commander';

/** Values that the program does not know itself. */
export interface KnownValues {
  /** Names of contexts, for `--context`. */
  readonly contexts: readonly string[];
}

/**
 * @param words of the command line after `dormouse`; the last one is being typed, and may be empty
 * @returns the candidates, sorted; none where a file or free text is expected
 */
export function completions(program: Command, words: readonly string[], known: KnownValues): string[] {
  const typed = words.at(-1) ?? '';
  const { command, awaits, operands } = walk(program, words.slice(0, -1));
  const candidates = awaits === undefined ? nextWords(command, typed, operands) : valuesOf(awaits, known);
  return candidates.filter((one) => one.startsWith(typed)).sort();
}

interface Place {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly awaits?: Option;
  /** Words that are neither commands nor options. */
  readonly operands: number;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let awaits: Option | undefined;
  let operands = 0;
  for (const word of words) {
    if (awaits !== undefined) {
      awaits = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const option = optionsOf(command).find(({ short, long }) => short === word || long === word);
      if (option?.required === true) awaits = option;
      continue;
    }
    const next = operands === 0 ? visible(command).find((one) => namesOf(one).includes(word)) : undefined;
    if (next === undefined) operands += 1;
    else command = next;
  }
  return { command, operands, ...(awaits !== undefined && { awaits }) };
}

function nextWords(command: Command, typed: string, operands: number): string[] {
  if (typed.startsWith('-')) {
    return optionsOf(command).flatMap((one) => (one.hidden ? [] : [one.long ?? one.short ?? '']));
  }
  const commands = operands === 0 ? visible(command).map((one) => one.name()) : [];
  const choices = command.registeredArguments[operands]?.argChoices ?? [];
  return [...commands, ...choices];
}

function valuesOf(option: Option, { contexts }: KnownValues): readonly string[] {
  return option.long === '--context' ? contexts : (option.argChoices ?? []);
}

const namesOf = (command: Command) => [command.name(), ...command.aliases()];

/** Hidden commands are for programs. */
const visible = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

/** Its own, those of the commands above it, and `--help`. */
function optionsOf(command: Command): Option[] {
  const own = [...command.createHelp().visibleOptions(command)];
  for (let above = command.parent; above !== null; above = above.parent)
    own.push(...above.options.filter(({ long }) => long !== '--version'));
  return own;
}
