/** `npm run helm:write`: writes the files of the Helm chart that follow from something else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chartDirectory, chartFiles } from './chart-files.js';

for (const [path, text] of Object.entries(await chartFiles())) {
  const target = join(chartDirectory, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}
