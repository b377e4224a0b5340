/** Where a request came from, for the registry. */

import { normalText } from '../../domain/free-text.js';
import { given } from '../../domain/given.js';
import type { RequestOrigin } from '../../domain/tokens/refresh-staleness.js';
import { clientAddress, type TrustedProxies } from '../../tokens/refresh/client-address.js';
import type { RefreshRequest } from './options.js';

const longestUserAgent = 400;
/** What a header must not bring into a list that people read: controls, formatting characters, halves of characters. */
const unreadable = /[\p{C}\u2028\u2029]/gu;

export function originOf(request: RefreshRequest | undefined, trusted: TrustedProxies): RequestOrigin {
  if (request === undefined) return {};
  const { headers, socket } = request;
  const userAgent = normalText((headers['user-agent'] ?? '').replace(unreadable, ''));
  return given({
    address: clientAddress(socket.remoteAddress, headers['x-forwarded-for'], trusted),
    userAgent: [...userAgent].slice(0, longestUserAgent).join('') || undefined,
  });
}
