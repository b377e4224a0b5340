/**
 * The workflows as one bundle: built ahead for production (`npm run build`), from
 * the sources on demand otherwise.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** `traced`: with the interceptors that tell spans (workflows/tracing.ts). Both do the same, command by command. */
export type BundleKind = 'plain' | 'traced';

const prebuilt: Readonly<Record<BundleKind, string>> = {
  plain: fileURLToPath(new URL('../workflow-bundle.js', import.meta.url)),
  traced: fileURLToPath(new URL('../workflow-bundle-traced.js', import.meta.url)),
};

const compiled = import.meta.url.endsWith('.js');
const sourceOf = (name: string) =>
  fileURLToPath(new URL(`../workflows/${name}${compiled ? '.js' : '.ts'}`, import.meta.url));
const ownWorkflows = sourceOf('index');

/** Bundles the sources. Takes seconds; done once per process. */
export function bundleWorkflows(
  workflowsPath = ownWorkflows,
  kind: BundleKind = 'plain',
): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath,
    ...(kind === 'traced' && { workflowInterceptorModules: [sourceOf('tracing')] }),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // Sources import each other as `./x.js`, as TypeScript for Node requires.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } },
    }),
  });
}

/** @returns what `Worker.create` takes as `workflowBundle` */
export async function loadWorkflowBundle(
  kind: BundleKind,
): Promise<{ codePath: string } | WorkflowBundleWithSourceMap> {
  const codePath = prebuilt[kind];
  return existsSync(codePath) ? { codePath } : bundleWorkflows(ownWorkflows, kind);
}
