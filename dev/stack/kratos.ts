/** Ory Kratos with password sign-in, for browsers and for programs. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeFileAtomically } from './files.js';
import { type HookTarget, hookAuthentication } from './hook-target.js';
import { requestOk } from './http-check.js';
import { migrate } from './migrate.js';
import { logFileOf, type PartContext, plainEnvironment } from './part-context.js';
import { applicationUrl, loopbackHost } from './ports.js';
import { projectDirectory } from './project.js';
import { untilReady } from './supervisor.js';

export interface KratosOptions {
  program: string;
  publicPort: number;
  adminPort: number;
  databaseUrl: string;
  smtpUrl: string;
  /** Receives each sign-in. */
  gateway: HookTarget;
}

export interface OryAddresses {
  publicUrl: string;
  adminUrl: string;
}

const version = 'v1.3.1';

/** Migrates its database and starts it. */
export async function startKratos(context: PartContext, options: KratosOptions): Promise<OryAddresses> {
  const publicUrl = `http://${loopbackHost}:${options.publicPort}`;
  const adminUrl = `http://${loopbackHost}:${options.adminPort}`;
  const configFile = join(context.data.kratos, 'kratos.json');
  await writeFileAtomically(configFile, JSON.stringify(configuration(context, options), null, 2));

  const environment = plainEnvironment(context, {
    DSN: `${options.databaseUrl}?sslmode=disable&max_conns=20&max_idle_conns=4`,
    SQA_OPT_OUT: 'true',
  });
  await migrate('Kratos', options.program, ['migrate', 'sql', '-e', '--yes', '-c', configFile], environment);
  const child = await context.supervisor.start({
    name: 'Kratos',
    rank: 'server',
    command: options.program,
    arguments: ['serve', '--sqa-opt-out', '--watch-courier', '-c', configFile],
    environment,
    logFile: logFileOf(context, 'kratos'),
    workingDirectory: context.data.kratos,
  });
  await untilReady(child, () => requestOk(`${adminUrl}/admin/health/ready`));
  await untilReady(child, () => requestOk(`${publicUrl}/health/ready`));
  return { publicUrl, adminUrl };
}

function configuration(context: PartContext, options: KratosOptions) {
  return {
    version,
    log: { level: 'info', format: 'json' },
    serve: {
      public: {
        base_url: `http://${loopbackHost}:${options.publicPort}/`,
        host: loopbackHost,
        port: options.publicPort,
      },
      admin: {
        base_url: `http://${loopbackHost}:${options.adminPort}/`,
        host: loopbackHost,
        port: options.adminPort,
      },
    },
    secrets: {
      cookie: [context.secrets.kratosCookieSecret],
      cipher: [context.secrets.kratosCipherSecret],
    },
    ciphers: { algorithm: 'xchacha20-poly1305' },
    // Fast on purpose: tests create and sign in accounts of a development stack by the hundred. (Kratos raises the cost of bcrypt to 12,
    // a quarter of a second, outside of its own development mode.)
    hashers: { algorithm: 'argon2', argon2: { memory: '64KB', iterations: 1, parallelism: 1 } },
    identity: {
      default_schema_id: 'person',
      schemas: ['person', 'username'].map((id) => ({
        id,
        url: new URL(`./kratos/${id}.schema.json`, import.meta.url).href,
      })),
    },
    session: {
      lifespan: '720h',
      // With a second factor enrolled, a session without it is still one: a route asks for more (docs/idle-sessions.md).
      whoami: { required_aal: 'aal1' },
    },
    selfservice: selfService(options.gateway),
    courier: {
      smtp: {
        connection_uri: courierUrl(options.smtpUrl),
        from_address: 'no-reply@localhost.test',
        from_name: 'Kratos',
      },
    },
  };
}

function selfService(gateway: HookTarget) {
  const flow = (page: string) => ({ ui_url: `${applicationUrl}/${page}` });
  // For every method that has no hooks of its own.
  const after = { hooks: [activityHook(gateway)] };
  return {
    default_browser_return_url: `${applicationUrl}/`,
    allowed_return_urls: [applicationUrl],
    methods: {
      password: {
        enabled: true,
        config: {
          // Would ask a server on the internet about each password.
          haveibeenpwned_enabled: false,
          min_password_length: 6,
          identifier_similarity_check_enabled: false,
        },
      },
      code: { enabled: true },
      totp: { enabled: true, config: { issuer: 'Dormouse' } },
    },
    flows: {
      login: { ...flow('login'), after },
      registration: {
        ...flow('registration'),
        enabled: true,
        after: {
          ...after,
          // A hook that may refuse runs only where it is listed under the method itself (v1.3.1).
          password: { hooks: [registrationHook(gateway), activityHook(gateway)] },
          code: { hooks: [registrationHook(gateway), activityHook(gateway)] },
        },
      },
      settings: { ...flow('settings'), after },
      error: flow('error'),
      recovery: { ...flow('recovery'), enabled: true, use: 'code', after },
      verification: { ...flow('verification'), enabled: true, use: 'code' },
    },
  };
}

/** Reports a successful flow to Dormouse. The flow does not wait for the answer. */
function activityHook(gateway: HookTarget) {
  const template = join(projectDirectory, 'deploy', 'kratos', 'dormouse-activity.jsonnet');
  return {
    hook: 'web_hook',
    config: {
      url: `${gateway.url}/v1/hooks/kratos`,
      method: 'POST',
      body: pathToFileURL(template).href,
      auth: hookAuthentication(gateway),
      response: { ignore: true },
    },
  };
}

/** Asks Dormouse whether the identifiers belonged to a deleted account. The flow waits for the answer. */
function registrationHook(gateway: HookTarget) {
  const template = join(projectDirectory, 'deploy', 'kratos', 'dormouse-registration.jsonnet');
  return {
    hook: 'web_hook',
    config: {
      url: `${gateway.url}/v1/hooks/kratos/registration`,
      method: 'POST',
      body: pathToFileURL(template).href,
      auth: hookAuthentication(gateway),
      response: { ignore: false, parse: true },
    },
  };
}

/** Kratos requires STARTTLS by default, but a mail catcher on this machine has none. */
function courierUrl(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol === 'smtp:' && isLocal) url.searchParams.set('disable_starttls', 'true');
  if (url.pathname === '') url.pathname = '/';
  return url.href;
}
