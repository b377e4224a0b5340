/** The Helm chart as text. What Helm and Kubernetes' types say of it, test/stack/helm-chart.test.ts shows. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectDirectory } from '../../dev/stack/project.js';
import { variables } from '../../src/config.js';
import { chartDirectory, chartFiles } from '../../tools/helm/chart-files.js';
import { settingVariables } from '../../tools/helm/values-schema.js';
import {
  fileVariables,
  listenVariables,
  requiredVariables,
  secretVariables,
} from '../../tools/helm/variables-of-parts.js';
import { parseCompose, references } from './compose-file.js';

const read = (...path: string[]) => readFile(join(...path), 'utf8');

it.each(Object.entries(await chartFiles()))('%s is what "npm run helm:write" writes', async (path, text) => {
  expect(await read(chartDirectory, path)).toBe(text);
});

describe('variables', () => {
  it('each that a process reads has one place: settings, secrets, files, or the listeners of the chart', () => {
    const places = [...settingVariables, ...secretVariables, ...fileVariables, ...listenVariables].sort();
    // Apps read it; no process of the chart does.
    const unread = ['DORMOUSE_HYDRA_PUBLIC_URL'];
    expect(places).toEqual(
      Object.keys(variables)
        .filter((name) => !unread.includes(name))
        .sort(),
    );
  });

  it('required are those that a process can not start without, and the address of Temporal', () => {
    expect(requiredVariables).toEqual([
      'DORMOUSE_TEMPORAL_ADDRESS',
      'DORMOUSE_POSTGRES_URL',
      'DORMOUSE_KRATOS_ADMIN_URL',
      'DORMOUSE_HYDRA_ADMIN_URL',
      'DORMOUSE_SMTP_URL',
      'DORMOUSE_SERVICE_TOKENS',
    ]);
  });

  it('each that docker-compose.yml fills from a secret is a secret here', async () => {
    const text = await read(projectDirectory, 'docker-compose.yml');
    const { worker, gateway } = parseCompose(text).services;
    const demanded = Object.entries({ ...worker?.environment, ...gateway?.environment })
      .filter(([, value]) => references(value).some(({ operator }) => operator === ':?'))
      .map(([name]) => name);
    expect(demanded.length).toBeGreaterThan(5);
    expect(demanded.filter((name) => !secretVariables.some((secret) => secret === name))).toEqual([]);
  });
});

it('chart, image and package have one version', async () => {
  const chart = parse(await read(chartDirectory, 'Chart.yaml')) as { version: string; appVersion: string };
  const { version } = JSON.parse(await read(projectDirectory, 'package.json')) as { version: string };
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});
