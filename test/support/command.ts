/** The command line, in a process of its own. */
import { execa } from 'execa';
import { projectDirectory } from '../../dev/stack/project.js';
import { compiled } from './compiled-sources.js';

/**
 * `dormouse …` as an operator types it. Never rejects.
 * @param environment its `DORMOUSE_*` variables
 * @param input what a pipe hands it
 */
export const typed = (environment: Record<string, string>, args: readonly string[], input?: string) =>
  execa(process.execPath, [compiled('src/cli.ts'), ...args], {
    cwd: projectDirectory,
    env: environment,
    ...(input === undefined ? {} : { input }),
    all: true,
    reject: false,
  });
