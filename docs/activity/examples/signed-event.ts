// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** Sends a signed event to a gateway started for it on the running stack, then the same with a changed body. */
import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createEngineDormouse } from '../../../src/client/engine.js';
import { createGateway } from '../../../src/gateway/server.js';
import { signEvent } from '../../../src/signs/http/event-signature.js';
import { runningStack, showActivity } from './support.js';

const stack = await runningStack();
const secret = randomBytes(32).toString('base64url');
const dormouse = createEngineDormouse({ temporal: stack.temporal, postgresUrl: stack.postgres.url });
const gateway = await createGateway({
  dormouse,
  serviceTokens: [stack.gateway.serviceToken],
  eventSecrets: [secret],
  log: pino({ level: 'silent' }),
});
const url = await gateway.listen({ host: '127.0.0.1', port: 0 });

const identityId = randomUUID();
const body = JSON.stringify({ identityId, source: 'partner', event: 'login' });
const timestamp = String(Math.floor(Date.now() / 1_000));
const headers = {
  'content-type': 'application/json',
  'x-dormouse-timestamp': timestamp,
  'x-dormouse-signature': signEvent(secret, timestamp, body),
};
for (const sent of [body, body.replace('partner', 'forger')]) {
  const answer = await fetch(`${url}/v1/activity`, { method: 'POST', headers, body: sent });
  console.log(answer.status, await answer.text());
}
await showActivity(stack, identityId, 'partner');
await gateway.close();
await dormouse.close();
