import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { loadSources } from '../../src/sources/load-sources.js';

const variable = 'LOAD_SOURCES_TEST_URL';
const url = 'postgres://reader:a-secret@app-db/app';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-sources-'));
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

async function fileOf(text: string): Promise<string> {
  const file = join(directory, 'sources.yaml');
  await writeFile(file, text);
  return file;
}

const text = `
sources:
  - name: shop
    connectionUrlVariable: ${variable}
    table: public.audit
    eventTypes: [login]
    kind: human
`;

async function refusal(file: string): Promise<Error> {
  const error: unknown = await loadSources(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was taken');
  return error;
}

test('each source has the address from its variable', async () => {
  vi.stubEnv(variable, url);
  expect(await loadSources(await fileOf(text))).toMatchObject([
    { source: { name: 'shop', kind: 'human' }, connectionUrl: url },
  ]);
});

test('an empty list gives no sources', async () => {
  expect(await loadSources(await fileOf('sources: []'))).toEqual([]);
});

describe('refused, by name and with the way out', () => {
  test('a file that is not there', async () => {
    const file = join(directory, 'none.yaml');
    const error = await refusal(file);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe(`DORMOUSE_ACTIVITY_SOURCES_FILE: ${file} can't be read`);
  });

  test('a file that is wrong', async () => {
    vi.stubEnv(variable, url);
    const error = await refusal(await fileOf(text.replace('kind: human', 'kind: ghost')));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/kind/);
  });

  test.each([
    ['is not set', undefined],
    ['holds no connection URL', 'mysql://reader:a-secret@app-db/app'],
  ])('a variable that %s; its value is not repeated', async (_name, value) => {
    vi.stubEnv(variable, value);
    const error = await refusal(await fileOf(text));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(new RegExp(`^${variable} must be set to a connection URL`));
    expect(error.message).not.toContain('a-secret');
  });
});
