/** `npm run pack:client`: packs `@dormouse/client` into `packages/`, and says what each entry needs. */
import { join } from 'node:path';
import { projectDirectory } from '../../dev/stack/project.js';
import { packClient } from './pack.js';

const { tarball, needs } = await packClient(join(projectDirectory, 'packages'));
console.log(tarball.slice(projectDirectory.length + 1));
for (const [entry, packages] of Object.entries(needs)) {
  console.log(`${entry.padEnd(10)} ${packages.join(', ') || 'needs nothing besides'}`);
}
