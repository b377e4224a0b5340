// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** The client in an app's own process: `npx tsx docs/activity/examples/client.ts`. */
import { newPerson, runExample, showActivity } from './on-the-stack.js';

await runExample(async (example) => {
  const person = await newPerson(example);
  const since = Date.now();
  await example.dormouse.recordActivity(person.id, { kind: 'human', source: 'example' });
  await showActivity(example, person.id, since);
});
