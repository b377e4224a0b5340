/** Part of `npm run build`: writes the workflow bundle beside the compiled code. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflows } from './workflow-bundle.js';

const { code } = await bundleWorkflows();
await writeFile(new URL('../workflow-bundle.js', import.meta.url), code);
