// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** The Express middleware before a real session: `npx tsx docs/activity/examples/middleware-express.ts`. */
import express from 'express';
import { dormouseActivity } from '../../../src/middleware/express.js';
import { newPerson, runExample, say, showActivity } from './on-the-stack.js';

await runExample(async (example) => {
  const { dormouse, people, stack } = example;
  const app = express();
  const activity = dormouseActivity({ dormouse, kratos: { publicUrl: stack.kratos.publicUrl } });
  app.use(activity);
  app.get('/', (_request, response) => void response.json({ hello: 'world' }));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  const person = await newPerson(example);
  const signIn = await people.signIn(person);
  const since = Date.now();
  await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-user-id': person.id } });
  await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-session-token': signIn?.sessionToken ?? '' } });
  await showActivity(example, person.id, since);
  say(`requests: ${JSON.stringify(activity.counters())}`);
  server.closeAllConnections();
  server.close();
});
