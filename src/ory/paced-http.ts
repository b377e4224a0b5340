/** Sends requests of the Ory clients when they have their place, and tells the pacer of each answer. */
import axios, { type AxiosAdapter, type AxiosResponse, isAxiosError } from 'axios';
import { given } from '../domain/given.js';
import type { CallPacer } from '../pacing/call-pacer.js';
import { retryAfterMs } from './retry-after.js';

const ids = /[0-9a-f]{8}-[0-9a-f-]{27}/gi;

/** An axios adapter over the one for Node. The time that a call waits counts for no timeout. */
export function pacedHttp(pacer: CallPacer): AxiosAdapter {
  const send = axios.getAdapter('http');
  return async (config) => {
    await pacer.place();
    const startedAt = performance.now();
    const path = (config.url ?? '').split('?', 1)[0]?.replace(ids, ':id');
    const tell = (answer?: AxiosResponse) =>
      pacer.answered({
        operation: `${config.method} ${path}`,
        tookMs: performance.now() - startedAt,
        ...given({ status: answer?.status, retryAfterMs: retryAfterMs(answer?.headers['retry-after']) }),
      });
    try {
      const answer = await send(config);
      tell(answer);
      return answer;
    } catch (error) {
      tell(isAxiosError(error) ? error.response : undefined);
      throw error;
    }
  };
}
