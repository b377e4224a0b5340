/** The location of this project. */
import { fileURLToPath } from 'node:url';

/** The directory of package.json. */
export const projectDirectory = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
