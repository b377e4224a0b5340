// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** The Fastify middleware before a real session: `npx tsx docs/activity/examples/middleware-fastify.ts`. */
import Fastify from 'fastify';
import { dormouseActivity } from '../../../src/middleware/fastify.js';
import { newPerson, runExample, say, showActivity } from './on-the-stack.js';

await runExample(async (example) => {
  const { dormouse, people, stack } = example;
  const app = Fastify();
  await app.register(dormouseActivity, { dormouse, kratos: { publicUrl: stack.kratos.publicUrl } });
  app.get('/', () => ({ hello: 'world' }));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const person = await newPerson(example);
  const signIn = await people.signIn(person);
  const since = Date.now();
  await fetch(url, { headers: { 'x-user-id': person.id } });
  await fetch(url, { headers: { 'x-session-token': signIn?.sessionToken ?? '' } });
  await showActivity(example, person.id, since);
  say(`requests: ${JSON.stringify(app.dormouseActivity.counters())}`);
  await app.close();
});
