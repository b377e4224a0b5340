/** The second half of `npm run build`: what the compiler leaves out of `dist/`. Templates, migrations, workflow bundle. */
import { cp, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';

const source = new URL('../../src/', import.meta.url);
const target = new URL('../../dist/', import.meta.url);

for (const folder of ['mail/templates', 'people-pages/templates', 'desk/templates', 'postgres/migrations']) {
  await cp(fileURLToPath(new URL(folder, source)), fileURLToPath(new URL(folder, target)), {
    recursive: true,
  });
}
for (const [kind, file] of [
  ['plain', 'workflow-bundle.js'],
  ['traced', 'workflow-bundle-traced.js'],
] as const) {
  const { code } = await bundleWorkflows(undefined, kind);
  await writeFile(new URL(file, target), code);
}
