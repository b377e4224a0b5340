/** `dormouse policy …` as operators type it, and what workers make of the policy file at their start. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { installationId } from '../../src/domain/audit-entry.js';
import { listPolicies, policyHash } from '../../src/policies/policies-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { alterPolicy } from '../support/alter-policy.js';
import { typed } from '../support/command.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type EntryProcess, workerProcess } from '../support/entry-process.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh, slowPolicy, unknownId } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;
let directory: string;
let environment: Record<string, string>;
let desk: Desk;
let operator: Operator;
const workers: EntryProcess[] = [];

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
  directory = await mkdtemp(join(tmpdir(), 'dormouse-policies-'));
  environment = {
    ...inject('environment'),
    DORMOUSE_POSTGRES_URL: database.url,
    DORMOUSE_POSTGRES_MIGRATION_URL: database.url,
    DORMOUSE_RECONCILE_EVERY: 'off',
  };
  desk = await openDesk({ postgresUrl: database.url });
  operator = await desk.operator();
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await rm(directory, { recursive: true, force: true });
  await desk.close();
  await database.close();
});

const policy = (...args: string[]) => operator.typed(['policy', ...args]);
const decision = ['--reason', 'a new rule', '--yes'];
const unseen = ['--without-preview', 'nobody follows it'];
const versionsOf = async (id: string) =>
  (await listPolicies(pool)).filter((one) => one.id === id).map(({ version }) => version);

async function write(text: string): Promise<string> {
  const file = join(directory, `${fresh('policy')}.yaml`);
  await writeFile(file, text);
  return file;
}

describe('dormouse policy', () => {
  it('publishes, says when a publication has no effect, shows, lists and rolls back, and audits the actor', async () => {
    const id = fresh('policy');
    const [first, second] = [await write(slowPolicy(id)), await write(slowPolicy(id, '# second\n'))];
    const published = await policy('publish', first, ...decision);
    expect(published).toMatchObject({ exitCode: 0 });
    expect(published.stdout).toBe(`${id} version 1 (sha256 ${policyHash(slowPolicy(id)).slice(0, 12)})`);
    expect((await policy('publish', first, ...decision)).stdout).toMatch(/nothing was published$/);
    expect((await policy('publish', second, ...decision, ...unseen, '--expect', '1')).stdout).toMatch(
      /version 2/,
    );
    const late = await policy('rollback', id, '--to', '1', ...decision, ...unseen, '--expect', '1');
    expect(late).toMatchObject({ exitCode: 1 });
    expect(late.stderr).toMatch(
      /version 2 is the latest: somebody else published since\. Nothing was published/,
    );
    const unasked = await policy('rollback', id, '--to', '1', ...decision);
    expect(unasked).toMatchObject({ exitCode: 1 });
    expect(unasked.stderr).toContain(
      `--preview: is missing. See first what the policy does to whom: dormouse policy preview ${id}@1`,
    );
    expect((await policy('rollback', id, '--to', '1', ...decision, ...unseen)).stdout).toMatch(/version 3/);
    expect((await policy('show', id)).stdout).toContain(slowPolicy(id).trim());
    expect((await policy('show', id, '--version', '2')).stdout).toMatch(
      /^# policy-.* version 2[\s\S]*# second$/,
    );
    const { stdout, stderr } = await policy('list');
    expect(stdout).toMatch(new RegExp(`^${id}@3 .*latest$`, 'm'));
    expect(stderr).toMatch(/^"default", which the gateway's DORMOUSE_POLICY_ID names, was never published$/m);
    const audit = (await readAudit(pool, installationId)).filter((row) => row.policyId === id);
    expect(
      audit.map(({ eventType, actor, detail }) => [eventType, actor, detail.reason, detail.version]),
    ).toEqual([
      ['policy_published', operator.actor, 'a new rule', 1],
      ['policy_published', operator.actor, 'a new rule', 2],
      ['policy_rolled_back', operator.actor, 'a new rule', 3],
    ]);
    expect(audit.at(-1)?.outcome).toBe('to version 1 without preview: nobody follows it');
  });

  it('tells the second of two operators who publish at once on the same latest version', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    const files = await Promise.all(['# a\n', '# b\n'].map((more) => write(slowPolicy(id, more))));
    const ends = await Promise.all(
      files.map((file) => policy('publish', file, ...decision, ...unseen, '--expect', '1')),
    );
    expect(ends.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
    expect(ends.map(({ stderr }) => stderr).join('')).toMatch(/repeat it with --expect 2/);
    expect(await versionsOf(id)).toEqual([1, 2]);
  });

  it('shows a text that was altered in the list and where it is shown, and still takes the right one', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    await alterPolicy(pool, id, 1, 'after: 90d', 'after: 91d');
    expect((await policy('list')).stdout).toMatch(new RegExp(`^${id}@1 .*ALTERED`, 'm'));
    const shown = await policy('show', id);
    expect(shown).toMatchObject({ exitCode: 1 });
    expect(shown.stdout).toContain('after: 91d');
    expect(shown.stderr).toMatch(/was altered in the database/);
    const right = await policy('publish', await write(slowPolicy(id)), ...decision);
    expect(right.stdout).toMatch(/version 2/);
  });

  it('refuses an unknown id and an unknown version, and publishes nothing', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    const [version, rollback, show] = await Promise.all([
      policy('rollback', id, '--to', '9', ...decision),
      policy('rollback', 'no-such', '--to', '1', ...decision),
      policy('show', 'no-such'),
    ]);
    expect(version).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/version 9 was never published/),
    });
    expect(rollback).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/"no-such" version 1 was never/),
    });
    expect(show).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/"no-such" was never published/),
    });
    expect(await versionsOf(id)).toEqual([1]);
  });
});

describe('a credential', () => {
  it('that may only read policies publishes none, and one without scopes of policies reads none', async () => {
    const id = fresh('policy');
    const file = await write(slowPolicy(id));
    const reader = await desk.operator('rita', ['policy:read']);
    expect(await reader.typed(['policy', 'list'])).toMatchObject({ exitCode: 0 });
    for (const more of [[], ['--dry-run']]) {
      const refused = await reader.typed(['policy', 'publish', file, ...decision, ...more]);
      expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringMatching(/policy:publish/)]);
    }
    const stranger = await desk.operator('sam', ['standing:read']);
    expect(await stranger.typed(['policy', 'show', 'default'])).toMatchObject({ exitCode: 3 });
    expect(await versionsOf(id)).toEqual([]);
  });

  it('asks by --dry-run what a publication would be, and nothing is published', async () => {
    const id = fresh('policy');
    const file = await write(slowPolicy(id));
    const asked = await policy('publish', file, ...decision, '--dry-run');
    expect([asked.exitCode, asked.stdout]).toEqual([0, expect.stringMatching(/^dry run: would publish/)]);
    await publish(pool, slowPolicy(id));
    expect((await policy('rollback', id, '--to', '7', ...decision, '--dry-run')).exitCode).toBe(1);
    const second = await write(slowPolicy(id, '# second\n'));
    expect((await policy('publish', second, ...decision, '--dry-run')).stderr).toMatch(
      /^--preview: is missing/,
    );
    expect(await versionsOf(id)).toEqual([1]);
  });
});

describe('dormouse server enrol', () => {
  it('refuses a policy that was never published, and an invalid id, and starts nothing', async () => {
    const id = unknownId();
    const enrol = (...args: string[]) => typed(environment, ['server', 'enrol', ...args]);
    expect((await enrol(id, '--policy', 'no-such')).stderr).toMatch(/"no-such" was never published/);
    expect((await enrol('--all', '--policy', 'A@b')).stderr).toMatch(/^--policy: is not the id of a policy/);
    const configured = await typed({ ...environment, DORMOUSE_POLICY_ID: 'corporate' }, [
      'server',
      'enrol',
      id,
    ]);
    expect(configured.stderr).toMatch(/"corporate" was never published/);
    expect(await readStanding(pool, id)).toBeUndefined();
  });
});

describe('a worker that starts', () => {
  const worker = (more: Record<string, string>) => {
    const process = workerProcess({ ...environment, DORMOUSE_TASK_QUEUE: fresh('queue'), ...more });
    workers.push(process);
    return process;
  };

  it('publishes the file of two at once where there is no version, and never again', async () => {
    const id = fresh('policy');
    const texts = [slowPolicy(id, '# one\n'), slowPolicy(id, '# two\n')];
    const both = await Promise.all(
      texts.map(async (text) => worker({ DORMOUSE_POLICY_FILE: await write(text), DORMOUSE_POLICY_ID: id })),
    );
    await Promise.all(both.map((one) => one.start()));
    expect(await versionsOf(id)).toEqual([1]);
    const second = await publish(pool, slowPolicy(id, '# of an operator\n'));
    await Promise.all(both.map((one) => one.stop()));
    await Promise.all(both.map((one) => one.start()));
    expect(await versionsOf(id)).toEqual([1, 2]);
    for (const [index, { said }] of both.entries()) {
      const line = said.split('\n').find((one) => one.includes('is not what is published')) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({
        policy: id,
        fileHash: policyHash(texts[index] ?? ''),
        publishedVersion: 2,
        publishedHash: second.hash,
        msg: expect.stringMatching(
          /dormouse policy preview \S+\. Then: dormouse policy publish \S+ --reason '…' --preview HASH --expect 2/,
        ),
      });
      expect(said).toContain(`"policy":"${id}@2"`);
    }
  });

  it('says that the policy to follow was never published, and ends', async () => {
    const id = fresh('policy');
    const file = await write(slowPolicy(id));
    const one = worker({ DORMOUSE_POLICY_FILE: file, DORMOUSE_POLICY_ID: 'corporate' });
    await expect(one.start()).rejects.toThrow(
      /DORMOUSE_POLICY_ID is \\?"corporate\\?", and no version of that policy was published.*dormouse policy publish/s,
    );
  });

  it('refuses an invalid id, before anything else', async () => {
    const one = worker({ DORMOUSE_POLICY_ID: 'Not an id' });
    await expect(one.start()).rejects.toThrow(/DORMOUSE_POLICY_ID must be the id in a policy file/);
  });

  it('says that the text to follow was altered, and continues', async () => {
    const id = fresh('policy');
    await publish(pool, slowPolicy(id));
    await alterPolicy(pool, id, 1, 'after: 90d', 'after: 91d');
    const one = worker({ DORMOUSE_POLICY_FILE: await write(slowPolicy(id)), DORMOUSE_POLICY_ID: id });
    await one.start();
    expect(one.said).toMatch(/can not be acted by/);
    expect(one.said).toMatch(/AlteredPolicyError/);
    await one.stop();
  });
});
