/** What all roads of a bounce have in common: who may tell, the answer, and the word where it matches nothing. */
import type { FastifyBaseLogger } from 'fastify';
import { z } from 'zod';
import type { DirectDormouse } from '../../client/direct-types.js';
import { answers } from '../../http/schemas.js';
import type { Bounce } from '../bounce.js';

/** The same whether the mail is known or not: nobody learns here to whom mails went. */
export const taken = answers({ 202: z.object({ outcome: z.literal('taken') }) });
export const mailSecurity = [{ mailHookKey: [] }, { mailHookPassword: [] }, { serviceToken: [] }];

/** What matches nothing is said aloud: somebody's mails come back, and the engine does not know whose. */
export async function takeBounce(
  dormouse: DirectDormouse,
  bounce: Bounce,
  source: string,
  log: FastifyBaseLogger,
): Promise<void> {
  if ((await dormouse.noteBounce(bounce, source)) === 'matched') return;
  const { kind, code } = bounce;
  log.warn({ source, kind, code }, 'a bounce matches no mail (see: dormouse mail unmatched)');
}
