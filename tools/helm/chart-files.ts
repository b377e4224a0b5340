/**
 * The files of the Helm chart that follow from something else: what values it takes (values.schema.json), which variables each process
 * gets (files/variables.yaml), and the alert rules (files/alerts.yaml), for a chart reads nothing outside of its own folder.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { projectDirectory } from '../../dev/stack/project.js';
import { valuesSchema } from './values-schema.js';
import { variablesOfParts } from './variables-of-parts.js';

export const chartDirectory = join(projectDirectory, 'deploy', 'helm', 'dormouse');

const written = (by: string) => `# Written by "npm run helm:write" from ${by}.\n`;

/** @returns the text of each file by its path within the chart */
export async function chartFiles(): Promise<Record<string, string>> {
  const alerts = await readFile(join(projectDirectory, 'deploy', 'prometheus', 'alerts.yaml'), 'utf8');
  return {
    'values.schema.json': `${JSON.stringify(valuesSchema(), null, 2)}\n`,
    'files/variables.yaml':
      written('src/config/variables.ts and the lists beside it') + stringify(variablesOfParts),
    'files/alerts.yaml': written('deploy/prometheus/alerts.yaml') + alerts,
  };
}
