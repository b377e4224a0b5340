/** The proxies in front of Kratos and Hydra: the book says which request goes wrong, and how. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, type FaultProxy, startFaultProxy } from '../../support/fault-proxy.js';
import type { CallBook } from './call-book.js';

/** `slow` lets the server carry the request out at once and answers after 30 s; the client has left by then. */
export const httpFaults = [
  '400',
  '404 of a proxy',
  '409',
  '429',
  '500',
  '502',
  'malformed',
  'truncated',
  'dropped before',
  'dropped after commit',
  'slow',
] as const;
export type HttpFault = (typeof httpFaults)[number];

const slowMs = 30_000;
/** What Ory says, and what must never get into a history or a log. */
export const canary = 'leaked-by-an-error-body@example.com';
const errorBody = (code: number) => JSON.stringify({ error: { code, message: `not now, ${canary}` } });

const asFault: Readonly<Record<HttpFault, Fault>> = {
  '400': { kind: 'answer', status: 400, body: errorBody(400) },
  '404 of a proxy': { kind: 'answer', status: 404, body: '<h1>404 page not found</h1>' },
  '409': { kind: 'answer', status: 409, body: errorBody(409) },
  '429': { kind: 'answer', status: 429, headers: { 'retry-after': '2' }, body: errorBody(429) },
  '500': { kind: 'answer', status: 500, body: errorBody(500) },
  '502': { kind: 'answer', status: 502, body: '<h1>502 Bad Gateway</h1>' },
  malformed: { kind: 'answer', status: 200, body: `<html>${canary}</html>` },
  truncated: { kind: 'truncated' },
  'dropped before': { kind: 'reset' },
  'dropped after commit': { kind: 'answer-lost' },
  slow: { kind: 'meanwhile', deed: () => pause(slowMs, undefined, { ref: false }) },
};

export function startHttpFaults(
  system: 'kratos' | 'hydra',
  upstream: string,
  book: CallBook,
): Promise<FaultProxy> {
  return startFaultProxy(upstream, (line) => {
    const id = book.idIn(line);
    if (id === undefined) return undefined;
    const kind = book.touch(id, system, line.replaceAll(id, ':id').replace(/^(\S+ [^?]+)\?.*$/, '$1'));
    return kind === undefined ? undefined : asFault[kind as HttpFault];
  });
}
