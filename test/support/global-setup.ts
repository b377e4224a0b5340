/** Makes, once for all files of a run, what they share: the servers, the workflow bundle, and the sources as JavaScript. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type StackInfo, startStack } from '../../dev/stack/index.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';
import { compileSources } from './compiled-sources.js';
import { resolveTimeSkippingServer } from './time-skipping-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackInfo;
    /** The `DORMOUSE_*` variables of the stack. */
    environment: Record<string, string>;
    workflowBundlePath: string;
    /** Where {@link compileSources} put the sources as JavaScript. */
    compiledSources: string;
    /** Empty: the SDK downloads its own. */
    timeSkippingServerPath: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'dormouse-test-'));
  const timeSkipping = await resolveTimeSkippingServer();
  const stack = await startStack({
    dataDirectory: join(directory, 'stack'),
    ephemeral: true,
    worker: false,
    gateway: false,
    report: (line) => console.log(line),
  });
  await prepareDatabase({ url: stack.info.postgres.runtimeUrl, migrationUrl: stack.info.postgres.url });
  const { code } = await bundleWorkflows();
  const workflowBundlePath = join(directory, 'workflow-bundle.js');
  await writeFile(workflowBundlePath, code);
  const compiledSources = join(directory, 'compiled');
  await compileSources(compiledSources, code);
  project.provide('stack', stack.info);
  project.provide('environment', stack.environment);
  project.provide('workflowBundlePath', workflowBundlePath);
  project.provide('compiledSources', compiledSources);
  project.provide('timeSkippingServerPath', timeSkipping?.path ?? '');
  return async () => {
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
