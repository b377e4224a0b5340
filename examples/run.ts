/** Runs an example on the embedded stack, which it starts where none runs, until Ctrl-C. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { OryPeople } from '../dev/demo/ory-people.js';
import { readRunningStack, type StackInfo, startStack } from '../dev/stack/index.js';
import { projectDirectory } from '../dev/stack/project.js';

type Person = Awaited<ReturnType<OryPeople['create']>>;

/**
 * @param create makes the app
 * @param describe what to try, once the app listens: it is printed
 */
export async function runExample(
  port: number,
  create: (info: StackInfo) => Promise<FastifyInstance>,
  describe: (url: string, person: Person) => string,
): Promise<void> {
  const dataDirectory = join(projectDirectory, '.stack');
  const running = await readRunningStack(dataDirectory);
  const stack = running === undefined ? await startStack({ dataDirectory, report: console.log }) : undefined;
  const info = running ?? stack?.info;
  if (info === undefined) throw new Error('the stack did not start');

  const person = await new OryPeople(info).create('example');
  const app = await create(info);
  const url = await app.listen({ host: '127.0.0.1', port });
  console.log(`\n${describe(url, person)} Ctrl-C stops.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await app.close();
      await stack?.stop();
      process.exit(0);
    });
  }
}
