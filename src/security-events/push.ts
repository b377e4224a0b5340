/** Pushes one security event token to a receiver (RFC 8935). */

import { z } from 'zod';
import { given } from '../domain/given.js';
import type { ConnectedReceiver } from './load.js';
import type { PushOutcome } from './rules.js';

const timeoutMs = 10_000;
/** An answer is a few words. The rest is not read. */
const answerLimit = 4_096;

/**
 * RFC 8935, section 2.4: these errors may go away after keys, credentials or rights
 * were fixed. The others never do.
 */
const passing = ['invalid_key', 'authentication_failed', 'access_denied'];
const errorSchema = z.object({ err: z.string().regex(/^[a-z_]{1,64}$/) });

/**
 * Never throws. The error names a status and the registered error code, and never
 * quotes the receiver's own text.
 */
export async function pushEvent(token: string, receiver: ConnectedReceiver): Promise<PushOutcome> {
  try {
    const answer = await fetch(receiver.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...given({ authorization: receiver.authorization }),
      },
      body: token,
      // An event for one address is not sent on to another.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await outcomeOf(answer);
  } catch (error) {
    return { kind: 'failed', error: isTimeout(error) ? 'no answer in time' : 'no connection' };
  }
}

async function outcomeOf(answer: Response): Promise<PushOutcome> {
  // Only 202 means that the event was accepted: a page that answers 200 is some other page.
  // guard: security events: only 202 says that an event was taken
  if (answer.status === 202) {
    await answer.body?.cancel();
    return { kind: 'accepted' };
  }
  if (answer.status !== 400) {
    await answer.body?.cancel();
    return { kind: 'failed', error: String(answer.status) };
  }
  const code = await readErrorCode(answer);
  if (code === undefined) return { kind: 'rejected', error: '400' };
  return { kind: passing.includes(code) ? 'failed' : 'rejected', error: `400 ${code}` };
}

async function readErrorCode(answer: Response): Promise<string | undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > answerLimit) return undefined;
  }
  try {
    return errorSchema.parse(JSON.parse(text)).err;
  } catch {
    return undefined;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
