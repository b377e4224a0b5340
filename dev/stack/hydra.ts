/**
 * Ory Hydra with opaque access tokens and refresh tokens. An application's own sign-in and consent go by Hydra's admin API; operators of the
 * desk have a page (operator-sign-in.ts).
 */
import { join } from 'node:path';
import { writeFileAtomically } from './files.js';
import { type HookTarget, hookAuthentication } from './hook-target.js';
import { requestOk } from './http-check.js';
import type { OryAddresses } from './kratos.js';
import { migrate } from './migrate.js';
import { logFileOf, type PartContext, plainEnvironment } from './part-context.js';
import { applicationUrl, loopbackHost } from './ports.js';
import { untilReady } from './supervisor.js';

export interface HydraOptions {
  program: string;
  publicPort: number;
  adminPort: number;
  databaseUrl: string;
  /** The hook that Hydra asks before each token; `undefined`: none. */
  tokenHook: HookTarget | undefined;
  /** Where people sign in, and consent. */
  signIn: { loginUrl: string; consentUrl: string };
}

/** Migrates its database and starts it. */
export async function startHydra(context: PartContext, options: HydraOptions): Promise<OryAddresses> {
  const publicUrl = `http://${loopbackHost}:${options.publicPort}`;
  const adminUrl = `http://${loopbackHost}:${options.adminPort}`;
  const configFile = join(context.data.hydra, 'hydra.json');
  await writeFileAtomically(configFile, JSON.stringify(configuration(context, options, publicUrl), null, 2));

  const environment = plainEnvironment(context, {
    DSN: `${options.databaseUrl}?sslmode=disable&max_conns=20&max_idle_conns=4`,
    SQA_OPT_OUT: 'true',
  });
  await migrate(
    'Hydra',
    options.program,
    ['migrate', 'sql', 'up', '-e', '--yes', '-c', configFile],
    environment,
  );
  const child = await context.supervisor.start({
    name: 'Hydra',
    rank: 'server',
    command: options.program,
    arguments: ['serve', 'all', '--dev', '--sqa-opt-out', '-c', configFile],
    environment,
    logFile: logFileOf(context, 'hydra'),
    workingDirectory: context.data.hydra,
  });
  await untilReady(child, () => requestOk(`${adminUrl}/health/ready`));
  await untilReady(child, () => requestOk(`${publicUrl}/health/ready`));
  return { publicUrl, adminUrl };
}

function configuration(context: PartContext, options: HydraOptions, publicUrl: string) {
  return {
    log: { level: 'info', format: 'json' },
    serve: {
      public: { host: loopbackHost, port: options.publicPort },
      admin: { host: loopbackHost, port: options.adminPort },
    },
    urls: {
      self: { issuer: publicUrl },
      login: options.signIn.loginUrl,
      consent: options.signIn.consentUrl,
      logout: `${applicationUrl}/logout`,
      error: `${applicationUrl}/error`,
    },
    secrets: {
      system: [context.secrets.hydraSystemSecret],
      cookie: [context.secrets.hydraCookieSecret],
    },
    // Opaque, so that a revoked token becomes invalid at once and not when it expires.
    strategies: { access_token: 'opaque' },
    ttl: {
      login_consent_request: '1h',
      access_token: '1h',
      id_token: '1h',
      auth_code: '10m',
      // Long, because ending unused tokens is Dormouse's task.
      refresh_token: '8760h',
    },
    oauth2: {
      expose_internal_errors: true,
      // Two tabs that refresh at once, and an answer that was lost, must not end the chain of tokens.
      grant: { refresh_token: { rotation_grace_period: '10s' } },
      ...(options.tokenHook === undefined ? {} : { token_hook: tokenHook(options.tokenHook) }),
    },
  };
}

function tokenHook(gateway: HookTarget) {
  return { url: `${gateway.url}/v1/hooks/hydra/token`, auth: hookAuthentication(gateway) };
}
