// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** Signs a new person in at the running stack's Kratos, and shows what Dormouse learnt of it. No app is involved. */
import { OryPeople } from '../../../dev/demo/ory-people.js';
import { runningStack, showActivity } from './support.js';

const stack = await runningStack();
const people = new OryPeople(stack);
const person = await people.create('example');
await people.signIn({ ...person, password: 'not the password' });
console.log('A sign-in failed, and is told to nobody. Now one that succeeds:');
await people.signIn(person);
await showActivity(stack, person.id, 'kratos-login');
