/** `dormouse policy preview`, and a publication that rests on it: real Kratos, real PostgreSQL, the command as typed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureChromium, launchChromium } from '../../dev/browser/chromium.js';
import { OryPeople, type PersonOptions } from '../../dev/demo/ory-people.js';
import { readAudit } from '../../src/audit/log-table.js';
import { installationId } from '../../src/domain/audit-entry.js';
import type { Standing } from '../../src/domain/standing.js';
import { latestVersion } from '../../src/policies/policies-table.js';
import { oneAtATime } from '../../src/preview/one-at-a-time.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { defaultText } from '../domain/fixtures.js';
import { findingsIn, findingsInFile } from '../support/axe-findings.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { publish } from '../support/publish.js';
import { spoil } from '../support/spoiled.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh, unknownId } from '../support/system-outside.js';

const day = 86_400_000;
const id = fresh('seen').slice(0, 32);
/** Without jitter, so that each person's days are exact. */
const inForce = defaultText.replace('id: default', `id: ${id}`).replace('jitter: 1h', 'jitter: none');
const strict = inForce.replace('after: 365d', 'after: 200d');
const decision = ['--reason', 'a new rule', '--yes'];
let database: FreshDatabase;
let directory: string;
let desk: Desk;
let operator: Operator;
let file: string;
/** As strict, and with a breaker that lets nearly nothing pass. */
let narrow: string;
let kratos: ReturnType<typeof openKratosDatabase>;
const people = new Map<string, string>();

const policy = (...args: string[]) => operator.typed(['policy', ...args]);
const simulation = (...args: string[]) => policy('simulate', ...args);

beforeAll(async () => {
  database = await openFreshDatabase();
  kratos = openKratosDatabase(inject('stack'));
  directory = await mkdtemp(join(tmpdir(), 'dormouse-preview-'));
  file = join(directory, 'strict.yaml');
  await writeFile(file, strict);
  narrow = join(directory, 'narrow.yaml');
  await writeFile(
    narrow,
    strict.replace('percentFrom: 5', 'percentFrom: 1').replace('atMost: 500', 'atMost: 1'),
  );
  desk = await openDesk({ postgresUrl: database.url });
  operator = await desk.operator();
  await publish(database.pool, inForce);
  await enrol('seen lately', 10);
  await enrol('warned', 40, { completed: { warn: Date.now() - 10 * day }, stage: 'warned' });
  await enrol('an admin', 1, {}, { metadataAdmin: { role: 'admin' } });
  await enrol('exempt', 300, {}, { metadataAdmin: { account_type: 'service' } });
  await enrol('without an address', 20, {}, { hasAddress: false });
  await write(unknownId(), 10);
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await kratos.end();
  await desk.close();
  await database.close();
});

async function enrol(
  name: string,
  daysAgo: number,
  more: Partial<Standing> = {},
  options: PersonOptions = {},
) {
  const person = await new OryPeople(inject('stack')).create(name.replaceAll(' ', '-'), options);
  const at = new Date(Date.now() - 400 * day);
  await kratos.query('UPDATE identities SET created_at = $2, state_changed_at = $2 WHERE id = $1', [
    person.id,
    at,
  ]);
  people.set(person.id, name);
  await write(person.id, daysAgo, more);
}

function write(identityId: string, daysAgo: number, more: Partial<Standing> = {}): Promise<void> {
  const lastActiveAt = Date.now() - daysAgo * day;
  const standing: Standing = {
    ...{ schemaVersion: 1, identityId, stage: 'active', since: lastActiveAt, lastActiveAt },
    ...{ activity: { human: lastActiveAt }, policy: { id, version: 1, hash: '' }, why: '', notices: [] },
    ...{ completed: {}, warnings: [], offBottom: more.stage !== undefined, signalWindowMs: 0 },
    ...more,
  };
  return writeStanding(database.pool, standing, Date.now());
}

/** The preview's hash, as the table ends with it. */
async function hashOf(): Promise<string> {
  const { stdout, exitCode, stderr } = await policy('preview', file);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return /^preview ([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
}

describe('a preview', () => {
  it('says who moves, why and when, and what is not in Kratos; nothing is published', async () => {
    const { stdout } = await policy('preview', file, '--json');
    const preview = JSON.parse(stdout);
    expect(preview).toMatchObject({ policyId: id, inForce: `${id}@1`, people: 5, missing: 1 });
    // Without an address nothing is deactivated, under either policy; the exempt one stays untouched.
    expect(preview.moves).toEqual({ earlier: 3, later: 0, same: 2 });
    expect(preview.why).toEqual({ 'earlier: deactivate after 365 days → 200 days': 3 });
    const days = (side: 'before' | 'after') => preview[side].byDay.deactivate as number[];
    // A moment less than that many days from now.
    expect(days('before').indexOf(1)).toBe(365 - 40 - 1);
    expect(days('after').indexOf(1)).toBe(200 - 40 - 1);
    expect(preview.after.ends).toMatchObject({ exempt: 1 });
    expect(await latestVersion(database.pool, id)).toBe(1);
  });

  it('one person whom Kratos answers in a form that can not be read is counted apart, and holds up nobody', async () => {
    const [first = ''] = people.keys();
    const unlikeBefore = async () => JSON.parse((await policy('preview', file, '--json')).stdout);
    await spoil(kratos, first);
    expect(await unlikeBefore()).toMatchObject({ people: 4, missing: 1, unreadable: 1 });
    expect((await policy('preview', file)).stdout).toMatch(
      /^1 more are in Kratos in a form that can not be read/m,
    );
    await kratos.query("UPDATE identities SET state = 'active' WHERE id = $1", [first]);
    expect(await unlikeBefore()).toMatchObject({ people: 5, missing: 1, unreadable: 0 });
  });

  it('as CSV: one line for each person, with both dates of each rung', async () => {
    const { stdout } = await policy('preview', file, '--csv');
    const [header = '', ...lines] = stdout.split('\n');
    const column = header.split(',').indexOf('move');
    expect(lines).toHaveLength(5);
    const moves = Object.fromEntries(
      lines.map((line) => [people.get(line.split(',')[0] ?? ''), line.split(',')[column]]),
    );
    expect(moves).toEqual({
      'seen lately': 'earlier',
      warned: 'earlier',
      'an admin': 'earlier',
      exempt: 'same',
      'without an address': 'same',
    });
  });

  it('the same policy: nobody moves', async () => {
    const { stdout } = await policy('preview', `${id}@1`);
    expect(stdout).toMatch(/^earlier: 0 {3}later: 0 {3}as before: 5$/m);
    expect(stdout).toMatch(/the breaker lets every day pass/);
  });

  it('a limit of one deactivation a day: the days on which the breaker would trip', async () => {
    for (const days of [10, 10]) await enrol('of one day', days);
    const { stdout } = await policy('preview', narrow);
    expect(stdout).toMatch(/the breaker would trip[\s\S]*day 79: up to 3 × revoke, and 1 are allowed/);
  });

  it('the page: nothing from outside, no finding by axe-core in light and dark, sorted by a click', async () => {
    const page = join(directory, 'preview.html');
    expect(await policy('preview', file, '--html', page)).toMatchObject({ exitCode: 0 });
    expect(await readFile(page, 'utf8')).not.toMatch(/(src|href)="https?:/);
    const browser = await launchChromium(await ensureChromium());
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const tab = await browser.newPage({ colorScheme });
        await tab.goto(`file://${page}`);
        expect(await findingsIn(tab), colorScheme).toEqual([]);
        expect(await tab.locator('svg[role=img]').count()).toBe(14);
        await tab.getByRole('button', { name: 'identity' }).click();
        const ids = await tab.locator('.sortable tbody tr td:first-child').allTextContents();
        expect(ids).toEqual([...ids].sort());
        await tab.close();
      }
    } finally {
      await browser.close();
    }
  });
});

describe('a simulation', () => {
  it('of the people who follow the policy: the same figures by the same seed, and on what they rest', async () => {
    const simulate = async (...more: string[]) =>
      JSON.parse((await simulation(file, '--population', 'live', '--json', ...more)).stdout);
    const one = await simulate('--days', '400');
    const { people: count } = JSON.parse((await policy('preview', file, '--json')).stdout);
    expect(one).toMatchObject({ population: 'live', people: count, missing: 1, seed: 1, days: 400 });
    expect(one.ends).toMatchObject({ exempt: 1 });
    expect(one.basis[0]).toMatch(/estimated from when \d+ of \d+ people were seen last/);
    expect(one.basis[1]).toMatch(/^That is few/);
    // Each simulation begins at its own moment, and these people at whole days before theirs.
    expect((await simulate('--days', '400')).persons).toEqual(one.persons);
  });

  it('of real people takes the scope policy:read, and holds numbers, no person', async () => {
    const reader = await desk.operator(undefined, ['policy:read']);
    const live = ['policy', 'simulate', file, '--population', 'live'];
    const whole = await reader.typed([...live, '--json']);
    expect(whole.exitCode).toBe(0);
    for (const identityId of people.keys()) expect(whole.all).not.toContain(identityId);
    expect(whole.all).not.toContain('@');
    const page = join(directory, 'live.html');
    expect(await reader.typed([...live, '--html', page])).toMatchObject({ stderr: `written: ${page}` });
    expect(await readFile(page, 'utf8')).toMatch(/<svg/);
    const days = (await reader.typed([...live, '--csv', '--days', '30'])).stdout.split('\n');
    expect([days.length, days[0]]).toEqual([31, expect.stringMatching(/^day,date,/)]);
    const other = await desk.operator(undefined, ['standing:read']);
    const refused = await other.typed(live);
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('policy:read')]);
  });

  it('and a preview do not run side by side in one gateway: the second is told to come back', async () => {
    let done = () => {};
    const running = oneAtATime(() => new Promise<void>((resolve) => (done = resolve)));
    const live = await simulation(file, '--population', 'live');
    expect([live.exitCode, live.stderr]).toEqual([5, expect.stringMatching(/^Another preview/)]);
    const preview = await policy('preview', file);
    expect([preview.exitCode, preview.stderr]).toEqual([5, expect.stringMatching(/^Another preview/)]);
    done();
    await running;
    expect(await policy('preview', file)).toMatchObject({ exitCode: 0 });
  });

  it('the page: nothing from outside, no finding by axe-core in light and dark', async () => {
    const page = join(directory, 'simulation.html');
    const written = await policy('simulate', file, '--population', '500', '--html', page);
    expect(written).toMatchObject({ exitCode: 0, stderr: `written: ${page}` });
    expect(await readFile(page, 'utf8')).not.toMatch(/(src|href)="https?:/);
    expect(await findingsInFile(page)).toEqual({ light: [], dark: [] });
  });

  it('of people who follow no policy, and a policy beside invented people: refused', async () => {
    const nobody = await simulation(file, '--population', 'live', '--policy', 'no-such');
    expect(nobody.stderr).toMatch(/^policy "no-such" was never published/);
    const both = await policy('simulate', file, '--population', '5', '--policy', id);
    expect(both.stderr).toMatch(/^--policy: goes with --population live only/);
  });
});

describe('a publication', () => {
  it('without a preview: refused, and the error says both ways out', async () => {
    const { exitCode, stderr } = await policy('publish', file, ...decision);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^--preview: is missing.*dormouse policy preview \S+\.yaml\. .*--without-preview REASON/,
    );
    expect(await latestVersion(database.pool, id)).toBe(1);
  });

  it('on the preview of another text, or on none that there is: refused', async () => {
    const other = join(directory, 'other.yaml');
    await writeFile(other, `${strict}# another\n`);
    const hash = await hashOf();
    expect((await policy('publish', other, ...decision, '--preview', hash)).stderr).toMatch(/another text/);
    expect((await policy('publish', file, ...decision, '--preview', 'f'.repeat(64))).stderr).toMatch(
      /^--preview: there is no such preview/,
    );
    expect((await policy('publish', file, ...decision, '--preview', hash.slice(0, 4))).stderr).toMatch(
      /^--preview: there is no such preview/,
    );
  });

  it('after the population changed by more than is tolerated: refused, with the numbers', async () => {
    const hash = await hashOf();
    for (let count = 0; count < 6; count += 1) await enrol('new', 5);
    const late = await policy('publish', file, ...decision, '--preview', hash);
    expect(late.stderr).toMatch(/answers otherwise now, by more than 1 %: people \d+ → \d+/);
    expect(await latestVersion(database.pool, id)).toBe(1);
  });

  it('on a preview that still holds: published, and the audit log names the preview', async () => {
    const hash = await hashOf();
    const published = await policy('publish', file, ...decision, '--preview', hash.slice(0, 12));
    expect(published).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${id} version 2`) });
    const [last] = (await readAudit(database.pool, installationId)).slice(-1);
    expect(last).toMatchObject({ eventType: 'policy_published', policyVersion: 2 });
    expect(last?.outcome).toMatch(/^published on preview [0-9a-f]{12}$/);
    const old = await policy('publish', narrow, ...decision, '--preview', hash);
    expect(old.stderr).toMatch(/^--preview: it is of another text/);
  });

  it('without a preview, with a reason: published, and the audit log has the reason', async () => {
    const empty = await policy('publish', narrow, ...decision, '--without-preview', ' ');
    expect(empty.stderr).toMatch(/^--without-preview: is empty/);
    expect(await policy('publish', narrow, ...decision, '--without-preview', 'an incident')).toMatchObject({
      exitCode: 0,
    });
    const [last] = (await readAudit(database.pool, installationId)).slice(-1);
    expect(last?.outcome).toBe('published without preview: an incident');
  });

  it('of an earlier text: on the preview of that version, and the audit log names it', async () => {
    const { stdout } = await policy('preview', `${id}@1`);
    const hash = /^preview ([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
    const other = await policy('rollback', id, '--to', '2', ...decision, '--preview', hash);
    expect(other.stderr).toMatch(/^--preview: it is of another text/);
    expect(await policy('rollback', id, '--to', '1', ...decision, '--preview', hash)).toMatchObject({
      exitCode: 0,
    });
    const [last] = (await readAudit(database.pool, installationId)).slice(-1);
    expect(last).toMatchObject({ eventType: 'policy_rolled_back' });
    expect(last?.outcome).toBe(`to version 1 on preview ${hash.slice(0, 12)}`);
  });
});
