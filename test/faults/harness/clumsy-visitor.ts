/**
 * Tells the gateway at each of its entrances what must not get into its log: rightly, where an entrance takes an address, and
 * by mistake, where it does not.
 */
import { pino } from 'pino';
import type { StackInfo } from '../../../dev/stack/index.js';
import { hookKeyHeader } from '../../../src/http/presented.js';
import { listenGateway, type TestGateway } from '../../support/gateway.js';

export interface Visitor {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

export interface VisitedGateway {
  /** @throws Error when an entrance answered otherwise than it should */
  visit(visitor: Visitor): Promise<void>;
  /** Everything that it logged, down to the finest level. */
  log(): string;
  close(): Promise<void>;
}

const unlimited = 1_000_000;

export async function openVisitedGateway(stack: StackInfo): Promise<VisitedGateway> {
  const lines: string[] = [];
  const gateway = await listenGateway({
    stack,
    log: pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }),
    more: {
      rateLimits: {
        servicePerMinute: unlimited,
        hookPerMinute: unlimited,
        signedPerMinute: unlimited,
        refusedPerMinute: unlimited,
        pagesPerMinute: unlimited,
        linkRequestsPerMinute: unlimited,
      },
    },
  });
  return {
    visit: (visitor) => visit(gateway, visitor),
    log: () => lines.join('\n'),
    close: () => gateway.close(),
  };
}

async function visit(gateway: TestGateway, { id, email, name }: Visitor): Promise<void> {
  const service = { authorization: `Bearer ${gateway.tokens[0]}` };
  const hook = { [hookKeyHeader]: gateway.hookKeys.kratos[0] };
  const json = (headers: Record<string, string>, body: unknown): RequestInit => ({
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const form = new URLSearchParams({ identifier: email });
  const requests: [path: string, request: RequestInit, status: number][] = [
    ['/account/reactivate', { method: 'POST', body: form }, 200],
    ['/v1/activity', json(service, { identityId: email, kind: 'human' }), 400],
    ['/v1/activity', json({ authorization: `Bearer ${email}` }, { identityId: id, kind: 'human' }), 401],
    [`/v1/identities/${encodeURIComponent(email)}/standing`, { headers: service }, 400],
    [`/v1/identities/${id}/hold`, json(service, { actor: email, reason: name, until: 'soon' }), 400],
    [`/v1/people/${encodeURIComponent(email)}?name=${name}`, { headers: service }, 404],
    ['/v1/hooks/kratos', json(hook, { identity_id: id, flow: 'login', traits: { email, name } }), 400],
    ['/v1/hooks/kratos/registration', json(hook, { identifiers: [email, name] }), 204],
    ['/v1/mail/bounces', json(service, { messageId: email, kind: 'hard', diagnosticCode: name }), 400],
  ];
  for (const [path, request, status] of requests) {
    const answer = await fetch(new URL(path, gateway.url), request);
    await answer.arrayBuffer();
    if (answer.status !== status) throw new Error(`${path.split('/')[2]} answered ${answer.status}`);
  }
}
