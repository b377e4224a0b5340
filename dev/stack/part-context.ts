/** What every part of the stack gets at its start. Types and small helpers. */
import { join } from 'node:path';
import type { ResolvedBinaries } from './binaries/pinned-servers.js';
import type { DataDirectory } from './data-directory.js';
import type { Progress } from './progress.js';
import type { StackSecrets } from './secrets.js';
import type { Supervisor } from './supervisor.js';

export interface PartContext {
  data: DataDirectory;
  ephemeral: boolean;
  secrets: StackSecrets;
  supervisor: Supervisor;
  binaries: ResolvedBinaries;
  progress: Progress;
  /** What the stack's own process inherited. */
  inherited: Record<string, string | undefined>;
}

export function logFileOf(context: PartContext, part: string): string {
  return join(context.data.logs, `${part}.log`);
}

/**
 * The environment of the servers: only what a program needs to run at all. Ory's servers accept any
 * variable as configuration (`DSN`, `LOG_LEVEL`), maildev and Temporal have prefixes of their own. A stray
 * variable must not change them.
 */
export function plainEnvironment(
  context: Pick<PartContext, 'inherited'>,
  more: Record<string, string> = {},
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'TZ']) {
    const value = context.inherited[name];
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, ...more };
}
