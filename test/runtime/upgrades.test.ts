/** The rules of an upgrade: which build promotes itself, and which changes of course are begun. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { compareReleases, release } from '../../src/process/release.js';
import { type Build, buildIdOf, deploymentName, promotesItself } from '../../src/worker/deployment.js';
import { patchActivation } from '../../src/worker/patch-activation.js';
import { patchReleases } from '../../src/workflows/patches.js';

const build = (buildId: string, more: Partial<Build> = {}): Build => ({
  buildId,
  isCurrent: false,
  seenAt: 1,
  ...more,
});
const current = (buildId: string): Build => build(buildId, { isCurrent: true, firstCurrentAt: 1 });

describe('a build promotes itself', () => {
  it.each<[what: string, builds: Build[], verdict: boolean]>([
    ['where no build is current', [build('0.2.0-b')], true],
    ['where Temporal knows of no build yet', [], true],
    ['over an older release', [build('0.2.0-b'), current('0.1.9-a')], true],
    ['over another build of its own release', [build('0.2.0-b'), current('0.2.0-a')], true],
    [
      'not over a newer release: a worker of before may be started again',
      [build('0.2.0-b'), current('0.10.0-c')],
      false,
    ],
    ['not where it is current already', [current('0.2.0-b')], false],
    ['not where it was taken back', [build('0.2.0-b', { firstCurrentAt: 5 }), current('0.1.0-a')], false],
  ])('%s', (_what, builds, verdict) => {
    expect(promotesItself('0.2.0-b', builds)).toBe(verdict);
  });
});

describe('a change of course', () => {
  const releases = { old: '0.1.0', recent: '0.10.0' };
  const begins = (patchId: string, rollbackTo?: string) =>
    patchActivation(rollbackTo, releases)({ patchId } as Parameters<ReturnType<typeof patchActivation>>[0]);

  it('is begun without a release to go back to', () => {
    expect(['old', 'recent', 'unlisted'].map((id) => begins(id))).toEqual([true, true, true]);
  });

  it('is begun only where the release to go back to knows it', () => {
    expect(begins('old', '0.9.0')).toBe(true);
    expect(begins('recent', '0.9.0')).toBe(false);
    expect(begins('recent', '0.10.0')).toBe(true);
    expect(begins('unlisted', '0.9.0')).toBe(false);
    expect(begins('constructor', '9.0.0')).toBe(false);
  });

  it('of the workflows is in the list, and the list has no other', () => {
    const folder = join(projectDirectory, 'src/workflows');
    const used = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/\bpatched\('([^']+)'\)/g)])
      .map((match) => match[1]);
    expect(Object.keys(patchReleases).sort()).toEqual([...new Set(used)].sort());
    for (const since of Object.values(patchReleases)) {
      expect(compareReleases(since, release)).toBeLessThanOrEqual(0);
    }
  });
});

describe('a build', () => {
  const bundle = (code: string) => ({ code, sourceMap: '' });

  it('has the same id on every machine with the same code, and another id for another course', async () => {
    const map = (path: string) => `\n//# sourceMappingURL=data:application/json,${path}`;
    const id = await buildIdOf(bundle(`run();${map('/one')}`));
    expect(id).toMatch(new RegExp(`^${release.replaceAll('.', '\\.')}-[0-9a-f]{12}$`));
    expect(await buildIdOf(bundle(`run();${map('/other')}`))).toBe(id);
    expect(await buildIdOf(bundle('walk();'))).not.toBe(id);
  });

  it('belongs to the deployment of its task queue, whose name Temporal takes', () => {
    expect(deploymentName('dormouse')).toBe('dormouse');
    expect(deploymentName('team.a/dormouse:1')).toBe('team_a_dormouse_1');
  });
});
