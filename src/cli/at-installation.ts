/**
 * Commands that work at the installation itself: with the database's and Temporal's addresses of the environment, or with keys that never
 * leave it. All others call a gateway (docs/command-line.md says which are which, and why).
 */
import type { Command } from 'commander';
import { contextOption } from './desk.js';

export const installationGroup =
  'At the installation, with its environment (DORMOUSE_POSTGRES_URL and others), and no gateway:';

/** Shows a command in the group of those that call no gateway. */
export function atInstallation(command: Command): Command {
  return command.helpGroup(installationGroup);
}

/** Gives every command that calls a gateway the option `--context`. To be called when all commands are there. */
export function addContextOptions(command: Command): void {
  for (const one of command.commands) {
    if (one.helpGroup() === installationGroup || offline.has(one.name())) continue;
    if (one.commands.length > 0) addContextOptions(one);
    else one.option(...contextOption);
  }
}

/** They call nobody. */
const offline = new Set([
  'contexts',
  'completion',
  'complete-words',
  'scopes',
  'check',
  'presets',
  'import-keycloak',
  'keygen',
]);
