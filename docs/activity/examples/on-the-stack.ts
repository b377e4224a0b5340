// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** What the examples in this folder that hold a client share: the running stack, a person, and the wait for the standing. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { OryPeople } from '../../../dev/demo/ory-people.js';
import { readRunningStack, type StackInfo } from '../../../dev/stack/index.js';
import { projectDirectory } from '../../../dev/stack/project.js';
import { createDormouse, type Dormouse } from '../../../src/client.js';

export interface Example {
  readonly stack: StackInfo;
  readonly people: OryPeople;
  readonly dormouse: Dormouse;
}

/** Runs an example against the stack of `npm start`; closes what it opened. */
export async function runExample(work: (example: Example) => Promise<void>): Promise<void> {
  const stack = await readRunningStack(join(projectDirectory, '.stack'));
  if (stack === undefined) {
    say('No stack runs. Start one in another terminal: npm start');
    process.exitCode = 1;
    return;
  }
  const { url, serviceToken: token } = stack.gateway;
  const dormouse = createDormouse({ gateway: { url, token }, timeoutMs: 10_000 });
  try {
    await work({ stack, people: new OryPeople(stack), dormouse });
  } finally {
    await dormouse.close();
  }
}

/** Makes a person and enrols them: their clock starts at their creation. */
export async function newPerson({ people, dormouse }: Example) {
  const person = await people.create(`example-${randomUUID().slice(0, 4)}`);
  await dormouse.enrol(person.id);
  const createdAt = await activeWhere(dormouse, person.id, (at) => at > 0);
  say(`${person.id} was last active ${new Date(createdAt).toISOString()} (created)`);
  return person;
}

/** Waits until the workflow knows of a sign of life since `since`, and says it. */
export async function showActivity(example: Example, identityId: string, since: number): Promise<void> {
  const seenAt = await activeWhere(example.dormouse, identityId, (at) => at >= since);
  say(`${identityId} was last active ${new Date(seenAt).toISOString()}`);
}

async function activeWhere(
  dormouse: Dormouse,
  identityId: string,
  isWanted: (lastActiveAt: number) => boolean,
): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    // The workflow itself: the projection is written when the standing changes, not at every sign of life.
    const standing = await dormouse.liveStanding(identityId).catch(() => undefined);
    if (standing !== undefined && isWanted(standing.lastActiveAt)) return standing.lastActiveAt;
    if (Date.now() > deadline)
      throw new Error('no sign of life arrived within a minute; is the worker running?');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
