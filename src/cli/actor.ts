/** The options `--actor` and `--reason`, which decisions take. */
import { userInfo } from 'node:os';

export const actorOption = [
  '--actor <id>',
  'who decides: an opaque id, never an e-mail address',
  userInfo().username,
] as const;

export const reasonOption = ['--reason <text>', 'why, for those who ask later'] as const;

export interface Decision {
  readonly reason: string;
  readonly actor: string;
}
