/**
 * The workflows as one bundle: built ahead for production (`npm run build`), from
 * the sources on demand otherwise.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const prebuilt = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

const compiled = import.meta.url.endsWith('.js');
const ownWorkflows = fileURLToPath(
  new URL(compiled ? '../workflows/index.js' : '../workflows/index.ts', import.meta.url),
);

/** Bundles the sources. Takes seconds; done once per process. */
export function bundleWorkflows(workflowsPath = ownWorkflows): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // Sources import each other as `./x.js`, as TypeScript for Node requires.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } },
    }),
  });
}

/** @returns what `Worker.create` takes as `workflowBundle` */
export async function loadWorkflowBundle(): Promise<{ codePath: string } | WorkflowBundleWithSourceMap> {
  return existsSync(prebuilt) ? { codePath: prebuilt } : bundleWorkflows();
}
