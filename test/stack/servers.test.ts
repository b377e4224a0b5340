/** Features of the real embedded servers, and servers that the environment names. */
import { Configuration, FrontendApi, type Identity, IdentityApi, OAuth2Api } from '@ory/client';
import { Connection } from '@temporalio/client';
import { createTransport } from 'nodemailer';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStackEnvironment } from '../../dev/stack/environment.js';
import { exists } from '../../dev/stack/files.js';
import { type RunningStack, readRunningStack, startStack } from '../../dev/stack/index.js';
import { searchAttributes } from '../../src/domain/search-attributes.js';
import { obtainTokens } from './support/authorization-code.js';
import { mailTo } from './support/mails.js';
import { scratchDirectory } from './support/scratch.js';

let stack: RunningStack;

beforeAll(async () => {
  stack = await startStack({ dataDirectory: 'unused', ephemeral: true, worker: false, gateway: false });
});

afterAll(async () => {
  const directory = stack.dataDirectory;
  await stack.stop();
  expect(await exists(directory)).toBe(false);
});

describe('Temporal', () => {
  it('has the search attributes', async () => {
    const { address, namespace } = stack.info.temporal;
    const connection = await Connection.connect({ address });
    const listed = await connection.operatorService.listSearchAttributes({ namespace });
    await connection.close();
    expect(Object.keys(listed.customAttributes ?? {})).toEqual(
      expect.arrayContaining(Object.keys(searchAttributes)),
    );
    expect((await fetch(stack.info.temporal.uiUrl)).status).toBe(200);
  });
});

describe('Kratos', () => {
  const password = 'long enough';
  const frontend = () => new FrontendApi(new Configuration({ basePath: stack.info.kratos.publicUrl }));
  const identities = () => new IdentityApi(new Configuration({ basePath: stack.info.kratos.adminUrl }));

  async function createIdentity(schema: string, traits: Record<string, string>): Promise<Identity> {
    const { data } = await identities().createIdentity({
      createIdentityBody: { schema_id: schema, traits, credentials: { password: { config: { password } } } },
    });
    return data;
  }

  async function signIn(identifier: string) {
    const { data: flow } = await frontend().createNativeLoginFlow();
    const { data } = await frontend().updateLoginFlow({
      flow: flow.id,
      updateLoginFlowBody: { method: 'password', identifier, password },
    });
    const { data: session } = await frontend().toSession({ xSessionToken: data.session_token ?? '' });
    return session;
  }

  it('signs a person in by e-mail address, for 720 hours', async () => {
    const traits = { email: 'dora@example.test', name: 'Dora', role: 'user', locale: 'de' };
    const identity = await createIdentity('person', traits);
    const session = await signIn('dora@example.test');
    expect(session.identity?.id).toBe(identity.id);
    const lifespanMs = Date.parse(session.expires_at ?? '') - Date.parse(session.issued_at ?? '');
    expect(Math.round(lifespanMs / 3_600_000)).toBe(720);
  });

  it('signs a person without a mail address in by name', async () => {
    const identity = await createIdentity('username', { username: 'porter', role: 'service' });
    expect(identity.recovery_addresses ?? []).toEqual([]);
    expect((await signIn('porter')).identity?.id).toBe(identity.id);
  });

  it('sends its own mails to the mail catcher', async () => {
    await createIdentity('person', { email: 'forgot@example.test' });
    const { data: flow } = await frontend().createNativeRecoveryFlow();
    await frontend().updateRecoveryFlow({
      flow: flow.id,
      updateRecoveryFlowBody: { method: 'code', email: 'forgot@example.test' },
    });
    expect(await mailTo(stack.info.mail.apiUrl, 'forgot@example.test')).toMatchObject({
      subject: expect.stringMatching(/recover/i),
    });
  });
});

describe('Hydra', () => {
  it('gives refresh tokens by the authorization code flow, and opaque access tokens', async () => {
    const { publicUrl, adminUrl } = stack.info.hydra;
    const tokens = await obtainTokens({ publicUrl, adminUrl, subject: 'somebody' });
    expect(tokens.access_token).toMatch(/^ory_at_/);
    expect(tokens.refresh_token).toMatch(/^ory_rt_/);
    const admin = new OAuth2Api(new Configuration({ basePath: adminUrl }));
    const { data } = await admin.introspectOAuth2Token({ token: tokens.refresh_token });
    expect(data).toMatchObject({ active: true, sub: 'somebody', iss: publicUrl });
  });
});

describe('the mail catcher', () => {
  it('shows what was sent', async () => {
    const transport = createTransport(stack.info.mail.smtpUrl);
    await transport.sendMail({ from: 'a@example.test', to: 'b@example.test', subject: 'Grüße' });
    expect(await mailTo(stack.info.mail.apiUrl, 'b@example.test')).toMatchObject({ subject: 'Grüße' });
    expect((await fetch(stack.info.mail.webUrl)).status).toBe(200);
  });
});

describe('PostgreSQL', () => {
  it("has Dormouse's database, empty", async () => {
    const client = new pg.Client({ connectionString: stack.info.postgres.url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_database() AS name, current_setting('server_version') AS version",
    );
    await client.end();
    expect(rows[0]).toMatchObject({ name: 'dormouse', version: expect.stringMatching(/^18/) });
  });
});

describe('servers that the environment names', () => {
  const given = () => ({ ...readStackEnvironment().inherited, ...stack.environment });

  it('are used, and nothing is started for them', async () => {
    const dataDirectory = await scratchDirectory();
    const options = { dataDirectory, worker: false, gateway: false };
    const second = await startStack(options, readStackEnvironment({ ...given(), PATH: '' }));
    try {
      const { temporal, postgres, kratos, hydra, mail } = stack.info;
      expect(second.info).toMatchObject({
        temporal: { address: temporal.address, namespace: 'default', uiUrl: '' },
        postgres,
        kratos,
        hydra,
        mail: { smtpUrl: mail.smtpUrl, webUrl: '', apiUrl: '' },
      });
      expect(await exists(`${dataDirectory}/children.json`)).toBe(false);
      expect(await readRunningStack(dataDirectory)).toEqual(second.info);
    } finally {
      await second.stop();
    }
    expect(await readRunningStack(dataDirectory)).toBeUndefined();
  });

  it('are refused when one address of a pair is missing', async () => {
    const environment = readStackEnvironment({ ...given(), DORMOUSE_KRATOS_PUBLIC_URL: '' });
    const options = { dataDirectory: await scratchDirectory(), worker: false, gateway: false };
    await expect(startStack(options, environment)).rejects.toThrow(/DORMOUSE_KRATOS_PUBLIC_URL is missing/);
  });

  it('are refused when nothing answers there', async () => {
    const environment = readStackEnvironment({
      ...given(),
      DORMOUSE_SMTP_URL: 'smtp://user:secret@127.0.0.1:9',
    });
    const options = { dataDirectory: await scratchDirectory(), worker: false, gateway: false };
    const failure = startStack(options, environment);
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:9, which DORMOUSE_SMTP_URL names/);
    await expect(failure).rejects.not.toThrow(/secret/);
  });

  it('are refused when Temporal does not know the namespace', async () => {
    const environment = readStackEnvironment({ ...given(), DORMOUSE_TEMPORAL_NAMESPACE: 'elsewhere' });
    const options = { dataDirectory: await scratchDirectory(), worker: false, gateway: false };
    await expect(startStack(options, environment)).rejects.toThrow(
      /namespace "elsewhere" of the Temporal at/,
    );
  });
});
