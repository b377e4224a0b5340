// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** Gets a new person tokens from the running stack's Hydra, and shows what Dormouse learnt of it. */
import { OryPeople } from '../../../dev/demo/ory-people.js';
import { runningStack, showActivity } from './support.js';

const stack = await runningStack();
const people = new OryPeople(stack);
const person = await people.create('example');
await people.authorize(person);
await showActivity(stack, person.id, 'hydra-token-hook');
