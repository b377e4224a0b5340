/** `dormouse completion bash|zsh|fish`: scripts that let a shell complete command lines. */
import { Argument, type Command } from 'commander';
import { completions } from './completions.js';
import { readContexts } from './contexts-file.js';
import { deskEnvironment } from './environment.js';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Each asks the hidden command below for the candidates. Where there are none, the shell offers files. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `_dormouse() {
  local IFS=$'\\n'
  COMPREPLY=($(dormouse complete-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _dormouse dormouse
`,
  zsh: `#compdef dormouse
_dormouse() {
  local -a found
  found=(\${(f)"$(dormouse complete-words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _dormouse dormouse
`,
  fish: `function __dormouse_complete
  set -l words (commandline -opc)
  dormouse complete-words -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c dormouse -a '(__dormouse_complete)'
`,
};

export function addCompletionCommands(program: Command): void {
  program
    .command('completion')
    .description('print a script for a shell, as: source <(dormouse completion bash)')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(scripts[shell]);
    });
  program
    .command('complete-words', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const contexts = await readContexts(deskEnvironment().contextsPath).catch(() => ({ contexts: {} }));
      const found = completions(program, words, { contexts: Object.keys(contexts.contexts) });
      if (found.length > 0) process.stdout.write(`${found.join('\n')}\n`);
    });
}
