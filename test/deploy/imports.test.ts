/** The import rules refuse forbidden imports. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions } from 'dependency-cruiser';
import { afterEach, expect, it } from 'vitest';

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
let directory = '';
afterEach(() => rm(directory, { recursive: true, force: true }));

/** @returns the names of the rules that these files break */
async function broken(files: Record<string, string>): Promise<string[]> {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-imports-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const { tsConfig: _ours, ...rest } = options as ICruiseOptions & { tsConfig: unknown };
  const { output } = await cruise([...new Set(Object.keys(files).map((name) => name.split('/')[0] ?? ''))], {
    ...rest,
    baseDir: directory,
    ruleSet: { forbidden },
    validate: true,
  });
  if (typeof output === 'string') throw new Error('the cruise answered with text');
  return [...new Set(output.summary.violations.map(({ rule }) => rule.name))].sort();
}

const empty = 'export const x = 1;\n';
const imports = (path: string) => `import { x } from '${path}';\nexport const y = x;\n`;

// biome-ignore format: a table
it.each<[string, Record<string, string>, string[]]>([
  ['a rule that imports a table', { 'src/domain/a.ts': imports('../holds/holds-table.js'), 'src/holds/holds-table.ts': empty }, ['rules-are-pure', 'rules-import-no-subjects']],
  ['a rule that reads files', { 'src/domain/a.ts': "import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n" }, ['rules-are-pure']],
  ['a subject that imports the client', { 'src/holds/a.ts': imports('../client.js'), 'src/client.ts': empty }, ['subjects-import-no-client']],
  ['a table that imports a route', { 'src/mail/mails-table.ts': imports('./http/routes.js'), 'src/mail/http/routes.ts': empty }, ['subjects-import-no-edges']],
  ['an engine that imports the embedded stack', { 'src/cli/a.ts': imports('../../dev/stack/a.js'), 'dev/stack/a.ts': empty }, ['toolkits-import-no-dev']],
  ['an activity that imports a workflow', { 'src/activities/a.ts': imports('../workflows/reconcile.js'), 'src/workflows/reconcile.ts': empty }, ['activities-import-no-workflows']],
  ['two files in a circle', { 'src/holds/a.ts': imports('./b.js'), 'src/holds/b.ts': "import { y } from './a.js';\nexport const x = y;\n" }, ['no-circle']],
  ['an example that imports the sources', { 'examples/a/app.ts': imports('../../src/client.js'), 'src/client.ts': empty }, ['an-example-imports-packages-only']],
  ['an example that starts the embedded stack', { 'examples/a/main.ts': imports('../../dev/stack/a.js'), 'dev/stack/a.ts': empty }, ['an-example-imports-packages-only']],
  ['an example that imports the tool that starts it, or another example', { 'examples/a/main.ts': imports('../run.js'), 'examples/run.ts': empty, 'examples/a/b.ts': imports('../b/app.js'), 'examples/b/app.ts': empty }, ['an-example-imports-packages-only']],
  ['nothing wrong: an example that imports a package and its own files', { 'examples/a/main.ts': imports('./app.js'), 'examples/a/app.ts': "import { x } from '@dormouse/client';\nexport { x };\n" }, []],
  ['a gateway that always loads the tracer', { 'src/gateway/a.ts': imports('../observability/otlp-tracer.js'), 'src/observability/otlp-tracer.ts': empty }, ['the-tracer-is-loaded-on-demand']],
  ['nothing wrong: a tracer that is loaded on demand', { 'src/gateway/a.ts': "export const y = import('../observability/otlp-tracer.js');\n", 'src/observability/otlp-tracer.ts': empty }, []],
  ['a file outside of all rooms', { 'src/misc/a.ts': empty.replace('export', "import '../domain/b.js';\nexport"), 'src/domain/b.ts': empty }, ['every-file-has-a-layer']],
  ['nothing wrong: a route, a table, and types of an activity for a workflow', {
    'src/mail/http/routes.ts': imports('../mails-table.js'), 'src/mail/mails-table.ts': empty,
    'src/workflows/a.ts': "import type { x } from '../activities/mail.js';\nexport type Y = typeof x;\n", 'src/activities/mail.ts': empty,
  }, []],
])('%s', async (_name, files, rules) => {
  expect(await broken(files)).toEqual(rules);
});
