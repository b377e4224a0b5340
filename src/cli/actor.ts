/** The option `--actor`, which every decision takes. */
import { userInfo } from 'node:os';

export const actorOption = [
  '--actor <id>',
  'who decides: an opaque id, never an e-mail address',
  userInfo().username,
] as const;
