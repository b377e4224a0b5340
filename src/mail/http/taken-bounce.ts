/**
 * Shared by all bounce routes: authentication, the answer, and the log line where a bounce matches no mail.
 */
import type { FastifyBaseLogger } from 'fastify';
import { z } from 'zod';
import type { EngineDormouse } from '../../client/engine.js';
import { answers } from '../../http/schemas.js';
import type { Bounce } from '../bounce.js';

/** The same whether the mail is known or not, so that the answer reveals no recipients. */
export const taken = answers({ 202: z.object({ outcome: z.literal('taken') }) });
export const mailSecurity = [{ mailHookKey: [] }, { mailHookPassword: [] }, { serviceToken: [] }];

/** A bounce without a matching mail is logged: some mails bounce, and the engine does not know whose. */
export async function takeBounce(
  dormouse: EngineDormouse,
  bounce: Bounce,
  source: string,
  log: FastifyBaseLogger,
): Promise<void> {
  if ((await dormouse.noteBounce(bounce, source)) === 'matched') return;
  const { kind, code } = bounce;
  log.warn({ source, kind, code }, 'a bounce matches no mail (see: dormouse mail unmatched)');
}
