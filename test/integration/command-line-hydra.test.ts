/** `dormouse login` at the embedded Hydra, which has no device codes: an authorization code with PKCE, on a redirect to this machine. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration, OAuth2Api } from '@ory/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Browser, parameter } from '../../dev/demo/authorization-code-flow.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { typed } from '../support/command.js';
import { compiled } from '../support/compiled-sources.js';
import { type Desk, openDesk } from '../support/desk.js';
import { fresh } from '../support/system-outside.js';
import { until } from '../support/until.js';

const stack = inject('stack');
const audience = 'dormouse-operators';
const client = fresh('dormouse-cli');
const admin = new OAuth2Api(new Configuration({ basePath: stack.hydra.adminUrl }));
let desk: Desk;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'desk-'));
  await admin.createOAuth2Client({
    oAuth2Client: {
      ...{ client_id: client, token_endpoint_auth_method: 'none', access_token_strategy: 'jwt' },
      ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
      ...{ scope: 'openid offline_access', audience: [audience] },
      redirect_uris: ['http://127.0.0.1/callback'],
    },
  });
  const metadata = await fetch(new URL('/.well-known/openid-configuration', stack.hydra.publicUrl));
  const { issuer } = (await metadata.json()) as { issuer: string };
  const file = `issuers:
  - alias: hydra
    issuer: ${issuer}
    audience: ${audience}
    clients: [${client}]
    rolesClaim: ext.groups
    roles: { desk: operator }
`;
  const fail = (error: unknown) => {
    throw error;
  };
  const operators = new OperatorTokens(parseOperatorsFile(file, 'operators.yaml'), fail);
  desk = await openDesk({ more: { operators }, issuers: operators.known });
});
afterAll(async () => {
  await desk.close();
  await admin.deleteOAuth2Client({ id: client });
  await rm(home, { recursive: true });
});

/** The person signs in and consents; then the browser follows the redirect to this machine. */
async function signIn(url: string, subject: string): Promise<{ status: number; callback: URL }> {
  const browser = new Browser();
  const loginChallenge = parameter(await browser.follow(url), 'login_challenge');
  const { data: login } = await admin.acceptOAuth2LoginRequest({
    loginChallenge,
    acceptOAuth2LoginRequest: { subject },
  });
  const consentChallenge = parameter(await browser.follow(login.redirect_to), 'consent_challenge');
  const { data: consent } = await admin.acceptOAuth2ConsentRequest({
    consentChallenge,
    acceptOAuth2ConsentRequest: {
      ...{ grant_scope: ['openid', 'offline_access'], grant_access_token_audience: [audience] },
      session: { access_token: { groups: ['desk'] } },
    },
  });
  const callback = await browser.follow(consent.redirect_to);
  const forged = new URL(callback);
  forged.searchParams.set('state', 'somebody-elses');
  expect((await fetch(forged)).status).toBe(404);
  return { status: (await fetch(callback)).status, callback };
}

it('signs the person in whose browser comes back with the right state; their role counts, and no token is shown', async () => {
  const started = execa(process.execPath, [compiled('src/cli.ts'), 'login', '--gateway', desk.gateway.url], {
    ...{ cwd: projectDirectory, env: { XDG_CONFIG_HOME: home }, all: true, reject: false },
  });
  let said = '';
  started.all?.on('data', (chunk) => {
    said += String(chunk);
  });
  const url = await until('the address to open', () => /^(http\S+\/oauth2\/auth\S+)$/m.exec(said)?.[1]);
  const asked = new URL(url).searchParams;
  expect([asked.get('code_challenge_method'), asked.get('audience')]).toEqual(['S256', audience]);
  const { status, callback } = await signIn(url, 'olga-7');
  expect([status, callback.hostname]).toEqual([200, '127.0.0.1']);
  expect(await started).toMatchObject({ exitCode: 0, all: expect.stringContaining('oidc:hydra:olga-7') });
  const who = await typed({ XDG_CONFIG_HOME: home }, ['whoami']);
  expect(who.stdout).toMatch(/scopes .*holds:place/);
  const { contexts } = JSON.parse(await readFile(join(home, 'dormouse', 'contexts.json'), 'utf8'));
  expect(contexts.default.signIn.refreshToken).toEqual(expect.any(String));
  for (const secret of [contexts.default.signIn.accessToken, contexts.default.signIn.refreshToken])
    expect(`${said}${who.all}`).not.toContain(secret);
});
