/** Time limits for calls that an app can't wait for. Needs nothing: the client over HTTP carries it. */
import { DormouseUnavailableError } from './caller-errors.js';

/** Rejects when `work` takes longer than `ms`. Its later result is ignored. */
export async function within<T>(
  ms: number,
  system: DormouseUnavailableError['system'],
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DormouseUnavailableError(system)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
