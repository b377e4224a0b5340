/**
 * `npm run example:<name>`: installs an example from the packed packages, and runs it on the embedded stack, which it starts where none
 * runs, until Ctrl-C. The only file of the examples that knows the repository.
 */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { OryPeople } from '../dev/demo/ory-people.js';
import { readRunningStack, startStack } from '../dev/stack/index.js';
import { projectDirectory } from '../dev/stack/project.js';
import { exampleNames, installExample } from '../tools/examples/install.js';

const [wanted, ...parameters] = process.argv.slice(2);
const name = exampleNames.find((known) => known === wanted);
if (name === undefined) throw new Error(`name an example: ${exampleNames.join(', ')}`);

const workspace = await mkdtemp(join(tmpdir(), 'dormouse-example-'));
try {
  const directory = await installExample(name, workspace);
  const dataDirectory = join(projectDirectory, '.stack');
  // The gateway follows one policy: an example that brings one has a stack of its own.
  const policyFile = join(directory, 'policy.yaml');
  const ownPolicy = await access(policyFile).then(
    () => ({ policyFile, ephemeral: true }),
    () => undefined,
  );
  const running = ownPolicy === undefined ? await readRunningStack(dataDirectory) : undefined;
  const stack =
    running === undefined
      ? await startStack({ dataDirectory, report: console.log, ...ownPolicy })
      : undefined;
  const info = running ?? stack?.info;
  if (info === undefined) throw new Error('the stack did not start');
  try {
    const { email, identifier, password } = await new OryPeople(info).create('example');
    console.log(`\n  e-mail    ${email}\n  password  ${password}\nCtrl-C stops.\n`);
    const app = execa('tsx', ['main.ts', ...parameters], {
      cwd: directory,
      preferLocal: true,
      localDir: projectDirectory,
      stdio: 'inherit',
      reject: false,
      env: {
        POSTGRES_URL: info.postgres.runtimeUrl,
        KRATOS_PUBLIC_URL: info.kratos.publicUrl,
        KRATOS_ADMIN_URL: info.kratos.adminUrl,
        HYDRA_PUBLIC_URL: info.hydra.publicUrl,
        HYDRA_ADMIN_URL: info.hydra.adminUrl,
        EXAMPLE_IDENTIFIER: identifier,
        EXAMPLE_PASSWORD: password,
      },
    });
    // The app ends first, then the stack.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.kill(signal));
    await app;
  } finally {
    await stack?.stop();
  }
} finally {
  await rm(workspace, { recursive: true, force: true });
}
// Temporal's runtime would keep the process.
process.exit();
