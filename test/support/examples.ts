/** The examples as an app's project has them: installed from the packed packages, once a run of tests. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { inject } from 'vitest';
import { type ExampleName, installExample } from '../../tools/examples/install.js';

/** The app of an example. Its own types are checked where they belong, in its project (test/packages/examples.test.ts). */
export interface Example<Options> {
  createExample(options: Options): Promise<FastifyInstance>;
}

interface CommonOptions {
  readonly postgresUrl: string;
  readonly clock?: () => number;
  readonly staleMs?: number;
}

export type IdleSessionsExample = CommonOptions & {
  readonly kratos: { readonly publicUrl: string; readonly adminUrl: string };
  readonly verifyTimeoutMs?: number;
};
export type InactiveTokensExample = CommonOptions & {
  readonly kratosPublicUrl: string;
  readonly secret: Uint8Array;
  readonly sliding?: boolean;
};
export type RefreshTokensExample = CommonOptions & {
  readonly kratosPublicUrl: string;
  readonly key: string;
  readonly signingKey: Uint8Array;
};

export type RefreshTokensHydraExample = CommonOptions & {
  readonly kratos: { readonly publicUrl: string; readonly adminUrl: string };
  readonly hydra: { readonly publicUrl: string; readonly adminUrl: string };
  readonly url: string;
  readonly policyId: string;
  readonly key: string;
  readonly verifyTimeoutMs?: number;
};

/** Installs the example where no other file of the run has, and imports its app. */
export async function loadExample<Options>(name: ExampleName): Promise<Example<Options>> {
  const workspace = join(inject('compiledSources'), '..', 'examples-installed');
  const done = join(workspace, `${name}.done`);
  const isDone = await access(done).then(
    () => true,
    () => false,
  );
  if (!isDone) {
    await mkdir(workspace, { recursive: true });
    await installExample(name, workspace);
    await writeFile(done, '');
  }
  return import(pathToFileURL(join(workspace, 'examples', name, 'app.ts')).href);
}
