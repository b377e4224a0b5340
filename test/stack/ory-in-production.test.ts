/**
 * Kratos and Hydra with the very configuration of docker-compose.yml and without their development modes, behind a proxy that has ended
 * TLS: it speaks HTTP to this test, and tells them of https, as the proxy of docker-compose.yml does.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Configuration, FrontendApi, IdentityApi } from '@ory/client';
import { execa } from 'execa';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { cacheRoot } from '../../dev/stack/binaries/cache.js';
import { pinnedServers, type ServerName } from '../../dev/stack/binaries/pinned-servers.js';
import { resolveBinary } from '../../dev/stack/binaries/resolve-binary.js';
import { readStackEnvironment } from '../../dev/stack/environment.js';
import { requestOk } from '../../dev/stack/http-check.js';
import { plainEnvironment } from '../../dev/stack/part-context.js';
import { reservePorts } from '../../dev/stack/ports.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { waitUntil } from '../../dev/stack/wait-until.js';
import { parseCompose } from '../deploy/compose-file.js';
import { obtainTokens } from './support/authorization-code.js';
import { scratchDirectory } from './support/scratch.js';

const deploy = (...path: string[]) => join(projectDirectory, 'deploy', ...path);
const secret = 'f'.repeat(32);

const programs = new Map<ServerName, string>();
beforeAll(async () => {
  const environment = readStackEnvironment();
  for (const name of ['kratos', 'hydra'] as const) {
    const { path } = await resolveBinary(pinnedServers[name], {
      searchPath: environment.path,
      cacheRoot: cacheRoot(environment),
      toolsDirectory: join(projectDirectory, 'tools'),
      inherited: environment.inherited,
      progress: { line: (text) => console.log(text), status: () => undefined },
    });
    programs.set(name, path);
  }
});

/** Listens on a free port until the test is over. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What deploy/proxy/Caddyfile does once TLS has ended. */
const proxyTo = (target: string) =>
  listen((incoming, outgoing) => {
    const { 'x-forwarded-proto': _, 'x-forwarded-for': __, ...headers } = incoming.headers;
    const forwarded = { ...headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' };
    const onward = request(
      `${target}${incoming.url}`,
      { method: incoming.method, headers: forwarded },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.once('error', () => outgoing.writeHead(502).end());
    incoming.pipe(onward);
  });

/** The command of docker-compose.yml, with the files of this repository for those that it mounts, and `more` after them. */
async function startServer(
  name: 'kratos' | 'hydra',
  more: (ports: { public: number; admin: number }) => object,
  variables: Record<string, string>,
) {
  const { ports, release } = await reservePorts({ public: 0, admin: 0 });
  onTestFinished(release);
  const directory = await scratchDirectory();
  const file = join(directory, 'more.yml');
  await writeFile(file, stringify(more(ports)));
  const compose = parseCompose(await readFile(join(projectDirectory, 'docker-compose.yml'), 'utf8'));
  const command = (compose.services[name]?.command ?? [])
    .map((part) => (part === `/etc/${name}/${name}.yml` ? deploy(name, `${name}.yml`) : part))
    // The hooks call the gateway, which is not there.
    .map((part) => (part === '/etc/kratos/hooks.yml' ? file : part));
  const server = execa(programs.get(name) ?? '', [...command, '--sqa-opt-out', '--config', file], {
    env: {
      ...plainEnvironment(readStackEnvironment(), { SQA_OPT_OUT: 'true', DSN: 'memory' }),
      ...variables,
    },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    cwd: directory,
    forceKillAfterDelay: 10_000,
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  const admin = `http://127.0.0.1:${ports.admin}`;
  const direct = `http://127.0.0.1:${ports.public}`;
  const health = name === 'kratos' ? `${admin}/admin/health/ready` : `${admin}/health/ready`;
  const isReady = async () => {
    const answers = await Promise.all(
      [health, `${direct}/health/ready`].map((url) => requestOk(url).catch(() => false)),
    );
    return answers.every(Boolean);
  };
  const ended = server.then(({ all }) => Promise.reject(new Error(`${name} ended:\n${all.slice(-2_000)}`)));
  const ready = await Promise.race([waitUntil(isReady, { timeoutMs: 60_000 }), ended]);
  ended.catch(() => undefined);
  expect(ready).toBe(true);
  return { direct, admin };
}

const startKratos = () =>
  startServer(
    'kratos',
    (ports) => ({
      serve: {
        public: { host: '127.0.0.1', port: ports.public },
        admin: { host: '127.0.0.1', port: ports.admin },
      },
      identity: { schemas: [{ id: 'default', url: `file://${deploy('kratos', 'identity.schema.json')}` }] },
      // It would ask a server on the internet about each password.
      selfservice: { methods: { password: { config: { haveibeenpwned_enabled: false } } } },
    }),
    {
      SECRETS_COOKIE: secret,
      SECRETS_CIPHER: secret,
      COURIER_SMTP_CONNECTION_URI: 'smtp://127.0.0.1:1/?disable_starttls=true',
    },
  );

/**
 * @param hook asked before each token, in place of the gateway
 * @param more settings that count more than those of the file
 */
const startHydra = (hook: string, more: object = {}) =>
  startServer(
    'hydra',
    (ports) => ({
      serve: {
        public: { host: '127.0.0.1', port: ports.public },
        admin: { host: '127.0.0.1', port: ports.admin },
      },
      oauth2: { token_hook: { url: hook } },
      ...more,
    }),
    { SECRETS_SYSTEM: secret, SECRETS_COOKIE: secret, OAUTH2_TOKEN_HOOK_AUTH_CONFIG_VALUE: 'the-hook-key' },
  );

/** `name=value` of each, and the attributes in lower case. */
function cookiesOf(response: Response) {
  return response.headers.getSetCookie().map((header) => {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
    return { pair, attributes: attributes.map((attribute) => attribute.toLowerCase()) };
  });
}

describe('Kratos', () => {
  it('signs a browser in by cookies that travel by https only', async () => {
    const { direct, admin } = await startKratos();
    const proxy = await proxyTo(direct);
    const identities = new IdentityApi(new Configuration({ basePath: admin }));
    const person = { identifier: 'ada@acorn.example', password: 'a long enough pass phrase 1815' };
    await identities.createIdentity({
      createIdentityBody: {
        schema_id: 'default',
        traits: { email: person.identifier },
        credentials: { password: { config: { password: person.password } } },
      },
    });

    // As a browser without scripts: it is led to the app's page, which is at an address of https.
    const begun = await fetch(`${proxy}/self-service/login/browser`, { redirect: 'manual' });
    expect(begun.headers.get('location')).toMatch(/^https:\/\/127\.0\.0\.1:4455\/login\?flow=/);

    const started = await fetch(`${proxy}/self-service/login/browser`, {
      headers: { accept: 'application/json' },
    });
    const flow = (await started.json()) as {
      ui: { action: string; nodes: { attributes: { name?: string; value?: string } }[] };
    };
    expect(flow.ui.action).toMatch(/^https:\/\/127\.0\.0\.1:4433\/self-service\/login\?flow=/);
    const csrf = flow.ui.nodes.find(({ attributes }) => attributes.name === 'csrf_token')?.attributes.value;
    const csrfCookies = cookiesOf(started);
    const signedIn = await fetch(flow.ui.action.replace('https://127.0.0.1:4433', proxy), {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        cookie: csrfCookies.map(({ pair }) => pair).join('; '),
      },
      body: JSON.stringify({ method: 'password', csrf_token: csrf, ...person }),
    });
    expect(signedIn.status).toBe(200);
    const sessionCookies = cookiesOf(signedIn).filter(({ pair }) => pair.startsWith('ory_kratos_session='));
    expect(sessionCookies).toHaveLength(1);
    for (const { attributes } of [...csrfCookies, ...sessionCookies]) {
      expect(attributes).toEqual(expect.arrayContaining(['secure', 'httponly', 'samesite=lax']));
    }
    const frontend = new FrontendApi(new Configuration({ basePath: proxy }));
    const { data: session } = await frontend.toSession({ cookie: sessionCookies[0]?.pair ?? '' });
    expect(session.identity?.traits).toEqual({ email: person.identifier });
  });
});

describe('Hydra', () => {
  it('issues tokens of an issuer of https behind the proxy, by the hook, and leads to pages of https', async () => {
    const asked: unknown[] = [];
    const hook = await listen((incoming, outgoing) => {
      asked.push(incoming.headers['x-dormouse-hook-key']);
      outgoing.writeHead(204).end();
    });
    const { direct, admin } = await startHydra(hook);
    const proxy = await proxyTo(direct);

    const discovery = await fetch(`${proxy}/.well-known/openid-configuration`);
    expect(discovery.status, await discovery.clone().text()).toBe(200);
    expect(await discovery.json()).toMatchObject({
      issuer: 'https://127.0.0.1:4444/',
      token_endpoint: 'https://127.0.0.1:4444/oauth2/token',
    });
    const tokens = await obtainTokens({
      publicUrl: proxy,
      adminUrl: admin,
      subject: 'ada',
      reach: (url) => url.replace('https://127.0.0.1:4444', proxy),
    });
    expect(tokens.access_token).toMatch(/^ory_at_/);
    expect(asked).toEqual(['the-hook-key']);

    const begun = await fetch(`${proxy}/oauth2/auth?${new URLSearchParams({ client_id: 'nobody' })}`, {
      redirect: 'manual',
    });
    expect(begun.headers.get('location')).toMatch(/^https:\/\/127\.0\.0\.1:4455\/error\?/);
  });

  it('does not start with an issuer of plain HTTP: it is in no development mode', async () => {
    const start = startHydra('http://127.0.0.1:1', { urls: { self: { issuer: 'http://127.0.0.1:4444/' } } });
    await expect(start).rejects.toThrow('issuer URL scheme must be HTTPS');
  });
});
