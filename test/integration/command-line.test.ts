/** The command line with nothing but a gateway's address: who signs in how, what is kept, and what forged and weak credentials get. */
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { readAudit } from '../../src/audit/log-table.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { release } from '../../src/process/release.js';
import { typed } from '../support/command.js';
import { compiled } from '../support/compiled-sources.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type DeviceIssuer, startDeviceIssuer } from '../support/device-issuer.js';
import { fresh, openOutside, unknownId } from '../support/system-outside.js';
import { until } from '../support/until.js';

const audience = 'dormouse-operators';
const outside = openOutside();
let desk: Desk;
let operator: Operator;
let issuer: DeviceIssuer;
let home: string;

beforeAll(async () => {
  issuer = await startDeviceIssuer(audience, 20);
  const file = `issuers:
  - alias: acme
    issuer: ${issuer.issuer}
    audience: ${audience}
    clients: [dormouse-cli, another]
    roles: { desk: operator }
`;
  const fail = (error: unknown) => {
    throw error;
  };
  const operators = new OperatorTokens(parseOperatorsFile(file, 'operators.yaml'), fail);
  desk = await openDesk({ more: { operators }, issuers: operators.known });
  operator = await desk.operator();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'desk-'));
  return () => rm(home, { recursive: true });
});
afterAll(async () => {
  await desk.close();
  await issuer.close();
  await outside.close();
});

/** As somebody types it whose environment names no gateway. */
const dormouse = (args: readonly string[], input?: string) => typed({ XDG_CONFIG_HOME: home }, args, input);
const file = () => join(home, 'dormouse', 'contexts.json');
const login = (secret: string, ...more: string[]) =>
  dormouse(['login', '--gateway', desk.gateway.url, '--token-stdin', ...more], `${secret}\n`);

describe('dormouse login --token-stdin', () => {
  it('keeps the credential for its owner alone, and commands need nothing else', async () => {
    const signedIn = await login(operator.secret);
    expect([signedIn.exitCode, signedIn.all]).toEqual([0, expect.stringContaining(operator.actor)]);
    expect(signedIn.all).not.toContain(operator.secret);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const who = await dormouse(['whoami', '--json']);
    expect(JSON.parse(who.stdout)).toMatchObject({ actor: operator.actor, gateway: desk.gateway.url });
    expect((await dormouse(['worklist'])).exitCode).toBe(0);
    const listed = await dormouse(['contexts', 'list']);
    expect(listed.stdout).toContain(desk.gateway.url);
    expect(listed.all).not.toContain(operator.secret);
    await chmod(file(), 0o644);
    expect(await dormouse(['whoami'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/chmod 600/),
    });
  });

  it('keeps several installations apart', async () => {
    const other = await desk.operator('oleg', ['api:read']);
    await login(operator.secret, '--context', 'prod');
    await login(other.secret, '--context', 'staging');
    const who = async (...more: string[]) => (await dormouse(['whoami', ...more])).stdout;
    expect(await who()).toContain(other.actor);
    expect(await who('--context', 'prod')).toContain(operator.actor);
    await dormouse(['contexts', 'use', 'prod']);
    expect(await who()).toContain(operator.actor);
    expect((await dormouse(['logout'])).exitCode).toBe(0);
    expect(await dormouse(['whoami'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/dormouse login/),
    });
    expect(await readFile(file(), 'utf8')).not.toContain(operator.secret);
    expect(await dormouse(['whoami', '--context', 'nowhere'])).toMatchObject({ exitCode: 3 });
  });

  it.each([
    [
      'a forged credential',
      () => `dmc_${'A'.repeat(49)}`,
      3,
      /does not take the credential, so it was not kept/,
    ],
    [
      'a changed one',
      () => `${operator.secret.slice(0, -1)}${operator.secret.endsWith('A') ? 'B' : 'A'}`,
      3,
      /was not kept/,
    ],
    ['no credential', () => '', 2, /^--token-stdin: is no credential/],
  ])('%s is refused, and nothing is kept', async (_what, secret, exitCode, message) => {
    const refused = await login(secret());
    expect([refused.exitCode, refused.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
    await expect(stat(file())).rejects.toThrow();
  });

  it('takes no plain http address of another machine', async () => {
    const refused = await dormouse(
      ['login', '--gateway', 'http://desk.example', '--token-stdin'],
      operator.secret,
    );
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringMatching(/plain http/)]);
  });
});

describe('dormouse login by device code', () => {
  const start = () => {
    const process_ = execa(
      process.execPath,
      [compiled('src/cli.ts'), 'login', '--gateway', desk.gateway.url],
      {
        ...{ cwd: projectDirectory, env: { XDG_CONFIG_HOME: home }, all: true, reject: false },
      },
    );
    let said = '';
    process_.all?.on('data', (chunk) => {
      said += String(chunk);
    });
    const code = () => until('the code', () => /the code (CODE-\d+)/.exec(said)?.[1]);
    return { process_, code };
  };

  it('is the person who typed the code, and has another token when the first one ends', async () => {
    const { process_, code } = start();
    issuer.decide(await code(), { subject: 'olga-7', roles: ['desk'] });
    expect(await process_).toMatchObject({ exitCode: 0, all: expect.stringContaining('oidc:acme:olga-7') });
    const id = unknownId();
    const held = await dormouse(['hold', id, '--for', '30d', '--reason', 'leave']);
    expect(held.exitCode, held.all).toBe(0);
    const kept = await readFile(file(), 'utf8');
    // Its life of 20 s is shorter than the margin, so each command has another one.
    expect(issuer.grants).toContain('refresh_token');
    expect(held.all).not.toMatch(/eyJ/);
    expect(kept).toContain('"refreshToken"');
    expect((await dormouse(['credentials', 'list'])).exitCode).toBe(3);
  });

  it.each([
    [200, 'whose tokens were revoked there', /^default {2}forgotten. Its tokens were revoked at http/],
    [503, 'that does not revoke them is told of', /did not revoke the tokens.*stay good until they end/],
  ])('ends by logout at an issuer (%i) %s, and is forgotten here', async (status, _title, message) => {
    const { process_, code } = start();
    issuer.decide(await code(), { subject: 'olga-7', roles: ['desk'] });
    await process_;
    const { accessToken, refreshToken } = JSON.parse(await readFile(file(), 'utf8')).contexts.default.signIn;
    issuer.revocation.status = status;
    const before = issuer.revoked.length;
    const out = await dormouse(['logout']);
    issuer.revocation.status = 200;
    expect([out.exitCode, out.stdout]).toEqual([0, expect.stringMatching(message)]);
    expect(issuer.revoked.slice(before)).toEqual(
      status === 200 ? [refreshToken, accessToken] : [refreshToken],
    );
    expect(await readFile(file(), 'utf8')).not.toContain(accessToken);
    expect(await dormouse(['whoami'])).toMatchObject({ exitCode: 3 });
  });

  it('that the person refuses keeps nothing', async () => {
    const { process_, code } = start();
    issuer.decide(await code(), 'deny');
    expect(await process_).toMatchObject({ exitCode: 3, all: expect.stringMatching(/access_denied/) });
    await expect(stat(file())).rejects.toThrow();
  });
});

describe('a command', () => {
  it('takes an e-mail address of those who may read it, and says of others that they may not', async () => {
    const person = await outside.people.create('desk');
    const { identifier: address } = person;
    const held = await operator.typed(['hold', address, '--for', '30d', '--reason', 'leave', '--json']);
    expect(held.exitCode, held.all).toBe(0);
    expect(JSON.parse(held.stdout)).toMatchObject({ identityId: person.id, stage: 'none' });
    const weak = await desk.operator('oleg', ['holds:place']);
    const refused = await weak.typed(['hold', address, '--for', '30d', '--reason', 'leave']);
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringMatching(/addresses:read/)]);
    expect(await operator.typed(['standing', `nobody-${fresh('x')}@example.org`])).toMatchObject({
      exitCode: 4,
    });
    expect(await operator.typed(['standing', 'jane'])).toMatchObject({ exitCode: 2 });
  });

  it('with --dry-run changes nothing, and is refused as the change itself would be', async () => {
    const id = unknownId();
    const args = [
      'exempt',
      id,
      '--kind',
      'service',
      '--owner',
      'team/x',
      '--review-after',
      '180d',
      '--reason',
      'batch',
    ];
    const asked = await operator.typed([...args, '--dry-run']);
    expect([asked.exitCode, asked.stdout]).toEqual([
      0,
      expect.stringMatching(/^dry run: would exempt .*Nothing was changed/),
    ]);
    expect(await readAudit(desk.gateway.pool, id)).toEqual([]);
    const weak = await desk.operator('oleg', ['holds:place']);
    expect(await weak.typed([...args, '--dry-run'])).toMatchObject({ exitCode: 3 });
    expect((await operator.typed(args)).exitCode).toBe(0);
    expect(await readAudit(desk.gateway.pool, id)).toMatchObject([
      { eventType: 'exemption_set', actor: operator.actor },
    ]);
    expect((await operator.typed(['exemptions', 'list'])).stdout).toContain(id);
  });

  it('asks before it hits more than one, and is refused where there is nobody to ask', async () => {
    const asked = await operator.typed(['parked', 'retry', '--error', 'NoSuchError']);
    expect([asked.exitCode, asked.stderr]).toEqual([
      2,
      expect.stringMatching(/--yes: is missing.*--dry-run/),
    ]);
    expect(await operator.typed(['parked', 'retry', '--error', 'NoSuchError', '--yes'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^0 were told/),
    });
  });

  it.each([
    [
      'a gateway that is away',
      { DORMOUSE_GATEWAY: 'http://127.0.0.1:9' },
      5,
      /does not answer.*may be repeated/,
    ],
    ['no credential', { DORMOUSE_TOKEN: '' }, 3, /DORMOUSE_TOKEN is not set/],
    [
      'a forged credential',
      { DORMOUSE_TOKEN: `dmc_${'A'.repeat(49)}` },
      3,
      /refuses the credential of DORMOUSE_TOKEN/,
    ],
  ])('with %s says so by message and exit code', async (_what, more, exitCode, message) => {
    const answer = await typed({ ...operator.environment, ...more }, ['worklist']);
    expect([answer.exitCode, answer.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
  });

  it('without its parameters, or with an option that there is not, ends with 2; help and version with 0', async () => {
    for (const args of [['hold'], ['hold', unknownId(), '--what'], ['nothing']])
      expect((await operator.typed(args)).exitCode, args.join(' ')).toBe(2);
    expect(await operator.typed(['--version'])).toMatchObject({ exitCode: 0, stdout: release });
    const help = await operator.typed(['--help']);
    expect([help.exitCode, help.stdout]).toEqual([
      0,
      expect.stringMatching(/At the installation.*\n.*database/s),
    ]);
  });
});

describe('a dry run is refused where the change would be:', () => {
  const later = () => new Date(Date.now() + 86_400_000).toISOString();
  const of = (deed: string, id = unknownId()) => `/v1/identities/${id}/${deed}`;
  it.each<[string, () => [string, object], RegExp]>([
    ['no reason', () => [of('hold'), { until: later(), reason: ' ' }], /reason: is empty/],
    ['an id that is none', () => [of('look-again', 'jane'), {}], /identityId is not a UUID/],
    [
      'an end in the past',
      () => [of('hold'), { until: '2020-01-01T00:00:00Z', reason: 'x' }],
      /until: is in/,
    ],
    ['a request id with blanks', () => [of('retry-parked'), { requestId: 'a b' }], /requestId: takes/],
    ['a policy that is no id', () => [of('apply-policy'), { policyId: 'A!' }], /policyId: is not the id/],
    [
      'an owner that is an address',
      () => [of('exempt'), { kind: 'service', owner: 'a@b', reviewAt: later(), reason: 'x' }],
      /owner: must be an opaque id/,
    ],
    [
      'a review in the past',
      () => [of('review-exemption'), { reviewAt: '2020-01-01T00:00:00Z', reason: 'x' }],
      /reviewAt: is in the past/,
    ],
    ['a trip that there is not', () => ['/v1/breaker/trips/2147483000/releases', { reason: 'x' }], /trip/],
    ['a release that there is not', () => ['/v1/breaker/releases/2147483000/approvals', {}], /release/],
    [
      'a credential whose name is taken',
      () => ['/v1/credentials', { name: operator.actor.slice('credential:'.length), scopes: ['api:read'] }],
      /name: .* is, or was, another credential/,
    ],
    [
      'a credential that there is not',
      () => ['/v1/credentials/no-such/revoke', { reason: 'x' }],
      /name: no live credential/,
    ],
    [
      'a roll-out of no policy',
      () => ['/v1/policies/A!/rollouts/pause', { reason: 'x' }],
      /id: is not the id/,
    ],
  ])('%s', async (_title, request, message) => {
    const [path, body] = request();
    for (const query of ['?dryRun=true', '']) {
      const answer = await fetch(`${desk.gateway.url}${path}${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operator.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect([query, answer.status, await answer.text()]).toEqual([
        query,
        400,
        expect.stringMatching(message),
      ]);
    }
  });
});

describe('credentials over the gateway', () => {
  it('are made, rotated and revoked as the caller, who is the owner unless they say otherwise', async () => {
    const admin = await desk.operator('olga');
    const name = fresh('ci').toLowerCase();
    const made = await admin.typed(['credentials', 'create', name, '--scope', 'standing:read']);
    expect([made.exitCode, made.stdout]).toEqual([0, expect.stringMatching(/^dmc_/)]);
    expect((await admin.typed(['credentials', 'list'])).stdout).toMatch(new RegExp(`${name} +olga `));
    const rotated = await admin.typed(['credentials', 'rotate', name]);
    expect([rotated.exitCode, rotated.stdout]).toEqual([0, expect.stringMatching(/^dmc_/)]);
    expect(
      (await admin.typed(['credentials', 'revoke', name, '--reason', 'over', '--dry-run'])).exitCode,
    ).toBe(0);
    expect(await admin.typed(['credentials', 'revoke', name, '--reason', 'over'])).toMatchObject({
      exitCode: 0,
    });
  });

  it('that would make one person two, or give more than the caller has, are refused, also as a dry run', async () => {
    const admin = await desk.operator('olga');
    const oleg = await desk.operator('oleg', ['breaker:approve']);
    const create = ['credentials', 'create', fresh('x').toLowerCase(), '--scope', 'breaker:approve'];
    for (const more of [[], ['--dry-run']]) {
      const second = await admin.typed([...create, '--owner', 'oleg', ...more]);
      expect([second.exitCode, second.stderr]).toEqual([
        1,
        expect.stringMatching(/^owner: .*to yourself only/),
      ]);
      const stolen = await admin.typed([
        'credentials',
        'rotate',
        oleg.actor.slice('credential:'.length),
        ...more,
      ]);
      expect([stolen.exitCode, stolen.stderr]).toEqual([1, expect.stringMatching(/^owner: /)]);
    }
    const manager = await desk.operator('mia', ['credentials:manage']);
    const beyond = await manager.typed([
      'credentials',
      'create',
      fresh('y').toLowerCase(),
      '--scope',
      'policy:publish',
    ]);
    expect([beyond.exitCode, beyond.stderr]).toEqual([1, expect.stringMatching(/^scopes: /)]);
  });
});

it('a shell completes commands, options and contexts', async () => {
  await login(operator.secret, '--context', 'prod');
  const script = `source <(dormouse completion bash); COMP_WORDS=(dormouse worklist --context ""); COMP_CWORD=3; _dormouse; echo "\${COMPREPLY[@]}"`;
  const shell = `dormouse() { '${process.execPath}' '${compiled('src/cli.ts')}' "$@"; }; ${script}`;
  const { stdout } = await execa('bash', ['-c', shell], { env: { XDG_CONFIG_HOME: home } });
  expect(stdout).toBe('prod');
});

it('a reader that has seen enough is no error: the command ends quietly', async () => {
  const command = `'${process.execPath}' '${compiled('src/cli.ts')}' policy simulate policies/presets/cis.yaml --population 200 --days 3650 --csv`;
  const { stdout, stderr } = await execa('bash', ['-c', `set -o pipefail; ${command} | head -n 1`], {
    cwd: projectDirectory,
  });
  expect([stdout.split(',').length > 3, stderr]).toEqual([true, '']);
});
