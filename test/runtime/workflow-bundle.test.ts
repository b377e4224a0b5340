/** The code in Temporal's sandbox: rules and workflows, and no I/O. */
import { expect, it } from 'vitest';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';

/** The bundle ends with its source map, as a data URL. */
function sourcesOf(code: string): string[] {
  const encoded = /sourceMappingURL=data:application\/json;charset=utf-8;base64,(\S+)/.exec(code)?.[1] ?? '';
  const map: { sources?: string[] } = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  return map.sources ?? [];
}

it('holds no module of ours but rules and workflows', async () => {
  const { code } = await bundleWorkflows();
  const ours = sourcesOf(code)
    .filter((source) => !source.includes('/node_modules/'))
    .flatMap((source) => /\/src\/(.+\.ts)$/.exec(source)?.[1] ?? []);
  expect(ours).toContain('workflows/identity-lifecycle.ts');
  expect(ours.filter((path) => !/^(domain|workflows)\//.test(path))).toEqual([]);
});
