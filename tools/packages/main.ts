/** `npm run pack:client` and `npm run pack:browser`: pack what is published into `packages/`, and say what each entry needs. */
import { join } from 'node:path';
import { projectDirectory } from '../../dev/stack/project.js';
import { packClient } from './pack.js';
import { packBrowser } from './pack-browser.js';

const target = join(projectDirectory, 'packages');
const name = (tarball: string) => tarball.slice(projectDirectory.length + 1);

if (process.argv[2] === 'browser') {
  console.log(name(await packBrowser(target)));
} else {
  const { tarball, needs } = await packClient(target);
  console.log(name(tarball));
  for (const [entry, packages] of Object.entries(needs)) {
    console.log(`${entry.padEnd(10)} ${packages.join(', ') || 'needs nothing besides'}`);
  }
}
