import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  dependencyProblems,
  developmentProblems,
  envExampleProblems,
  environmentProblems,
  hardeningProblems,
  healthcheckProblems,
  imageProblems,
  mountProblems,
  networkProblems,
  portProblems,
  requiredVariables,
  restartProblems,
  searchAttributeProblems,
  secretProblems,
  tagOf,
  unreachableProblems,
  versionProblems,
} from './compose-checks.js';
import { interpolate, parseCompose, parseEnv, parseYaml, references } from './compose-file.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const text = read('docker-compose.yml');
const compose = parseCompose(text);
const example = parseEnv(read('.env.example'));
/** The same as `deploy/create-env.sh` leaves it. */
const filled = Object.fromEntries(
  Object.entries(example).map(([name, value]) => [name, value.replace(/^replace-me-.*/, 'f'.repeat(32))]),
);
const kratosModule = read('tools/kratos/go.mod');
const hydraModule = read('tools/hydra/go.mod');

const ajv = new Ajv2020({ strict: false, allErrors: true });
const matchesSchema = ajv.compile(JSON.parse(read('test/deploy/compose-spec.json')));
const schemaProblems = (content: string): string[] =>
  matchesSchema(parseYaml(content))
    ? []
    : (matchesSchema.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);

/** Every check by name, on a text, so that the same checks run on the file and on broken copies. */
const checks: Record<string, (content: string) => string[]> = {
  'follows the schema of the Compose Specification': schemaProblems,
  'pins every image to a version and a digest': (content) => imageProblems(parseCompose(content)),
  'says of every service whether it keeps running': (content) => restartProblems(parseCompose(content)),
  'has a healthcheck on every service that keeps running': (content) =>
    healthcheckProblems(parseCompose(content)),
  'publishes on 127.0.0.1 only, no port twice': (content) => portProblems(parseCompose(content)),
  'keeps networks apart': (content) => networkProblems(parseCompose(content)),
  'runs nothing in a development mode': (content) => developmentProblems(parseCompose(content)),
  'waits for what exists, by the fitting condition': (content) => dependencyProblems(parseCompose(content)),
  'mounts what exists, read-only': (content) => mountProblems(parseCompose(content), root),
  'gives the gateway an environment that src/config.ts takes': (content) =>
    environmentProblems(parseCompose(content).services.gateway, filled),
  // The worker has no HTTP callers with tokens.
  'gives the worker an environment that src/config.ts takes': (content) =>
    environmentProblems(parseCompose(content).services.worker, filled, ['DORMOUSE_SERVICE_TOKENS']),
  'lets every variable of src/config.ts be set': (content) => unreachableProblems(parseCompose(content)),
  'registers the search attributes of src/domain': (content) =>
    searchAttributeProblems(parseCompose(content)),
  'locks the worker down': (content) => hardeningProblems(parseCompose(content), 'worker'),
  'locks the gateway down': (content) => hardeningProblems(parseCompose(content), 'gateway'),
  'demands secrets from the environment': (content) =>
    secretProblems(references(content), parseCompose(content)),
  'uses exactly the variables of .env.example': (content) => envExampleProblems(references(content), example),
  'runs the Kratos of tools/kratos': (content) =>
    versionProblems(parseCompose(content), kratosModule, 'github.com/ory/kratos', 'oryd/kratos'),
  'runs the Hydra of tools/hydra': (content) =>
    versionProblems(parseCompose(content), hydraModule, 'github.com/ory/hydra/v2', 'oryd/hydra'),
};

describe('docker-compose.yml', () => {
  it.each(Object.entries(checks))('%s', (_name, problems) => {
    expect(problems(text)).toEqual([]);
  });

  it('names the policy file inside the directory that it mounts', () => {
    const service = compose.services.worker;
    const policy = interpolate(service?.environment?.DORMOUSE_POLICY_FILE ?? '', example);
    expect(service?.volumes).toContain('./policies:/app/policies:ro');
    expect(policy).toMatch(/^policies\/[a-z0-9-]+\.yaml$/);
  });

  it('checks the health of the worker and the gateway on their own ports', () => {
    const { worker, gateway } = compose.services;
    expect(worker?.healthcheck?.test.join(' ')).toContain(
      `:${worker?.environment?.DORMOUSE_WORKER_HEALTH_PORT}/healthz`,
    );
    expect(gateway?.healthcheck?.test.join(' ')).toContain(
      `:${gateway?.environment?.DORMOUSE_GATEWAY_PORT}/healthz`,
    );
    const [, operatorsPort] = String(gateway?.environment?.DORMOUSE_OPERATORS_LISTEN).split(':');
    expect(gateway?.ports).toEqual([
      `127.0.0.1:8321:${gateway?.environment?.DORMOUSE_GATEWAY_PORT}`,
      `127.0.0.1:8322:${operatorsPort}`,
    ]);
  });

  it("builds Dormouse's image under the version of package.json", () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(tagOf(compose.services.worker?.image ?? '')).toBe(version);
    expect(compose.services.gateway?.image).toBe(compose.services.worker?.image);
  });

  it('demands each variable that has no default', () => {
    expect(requiredVariables).toContain('DORMOUSE_POSTGRES_URL');
    expect(() =>
      interpolate(compose.services.gateway?.environment?.DORMOUSE_SERVICE_TOKENS ?? '', {}),
    ).toThrow(/DORMOUSE_SERVICE_TOKENS is not set/);
  });

  const composeVersion = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
  const hasCompose = composeVersion.status === 0;
  it.runIf(hasCompose)(
    `is accepted by "docker compose config"${hasCompose ? '' : ' (skipped: "docker compose" does not work here)'}`,
    () => {
      const result = spawnSync('docker', ['compose', '--env-file', '.env.example', 'config', '-q'], {
        cwd: root,
        encoding: 'utf8',
      });
      expect(result.stderr).toBe('');
      expect(result.status).toBe(0);
    },
  );
});

describe('the checks notice', () => {
  const breaks: [what: string, check: string, find: string | RegExp, replacement: string][] = [
    [
      'a key that Compose does not know',
      'follows the schema of the Compose Specification',
      'shm_size:',
      'shm-size:',
    ],
    [
      'a number for a duration',
      'follows the schema of the Compose Specification',
      'interval: 10s',
      'interval: 10',
    ],
    [
      'a duration that is none',
      'has a healthcheck on every service that keeps running',
      'interval: 10s',
      'interval: soon',
    ],
    [
      'the tag latest',
      'pins every image to a version and a digest',
      'temporalio/ui:2.42.1',
      'temporalio/ui:latest',
    ],
    ['no tag', 'pins every image to a version and a digest', 'temporalio/ui:2.42.1', 'temporalio/ui'],
    [
      'a tag that moves',
      'pins every image to a version and a digest',
      'postgres:18.4-bookworm',
      'postgres:18',
    ],
    ['no digest', 'pins every image to a version and a digest', /(mailpit:v1\.31\.4)@sha256:\w+/, '$1'],
    [
      'no restart policy',
      'says of every service whether it keeps running',
      'restart: unless-stopped',
      'init: true',
    ],
    [
      'no healthcheck',
      'has a healthcheck on every service that keeps running',
      "test: ['CMD', '/mailpit', 'readyz']",
      "test: ['NONE']",
    ],
    [
      'a port on every address',
      'publishes on 127.0.0.1 only, no port twice',
      '127.0.0.1:8025:8025',
      '8025:8025',
    ],
    [
      'a port taken twice',
      'publishes on 127.0.0.1 only, no port twice',
      '127.0.0.1:8025:8025',
      '127.0.0.1:8233:8025',
    ],
    ['a database that is published', 'keeps networks apart', 'networks: [data]', 'networks: [public, data]'],
    [
      'a network with a way out',
      'keeps networks apart',
      /internal: true\n {2}data/,
      'internal: false\n  data',
    ],
    [
      'a mail catcher that reaches the database',
      'keeps networks apart',
      /(mailpit:\n.*\n {4}networks: \[public, )internal/,
      '$1data',
    ],
    ['a network that is not declared', 'keeps networks apart', 'networks: [internal]', 'networks: [inside]'],
    [
      'a server in its development mode',
      'runs nothing in a development mode',
      "'serve', '--watch-courier'",
      "'serve', '--dev', '--watch-courier'",
    ],
    [
      'a dependency on nothing',
      'waits for what exists, by the fitting condition',
      /^ {6}kratos-migrate:$/m,
      '      kratos-setup:',
    ],
    [
      'a wait for the health of what ends',
      'waits for what exists, by the fitting condition',
      /service_completed_successfully/,
      'service_healthy',
    ],
    [
      'a mount of nothing',
      'mounts what exists, read-only',
      './deploy/hydra/hydra.yml',
      './deploy/hydra/none.yml',
    ],
    ['a writable mount', 'mounts what exists, read-only', 'hydra.yml:ro', 'hydra.yml'],
    [
      'a volume that is not declared',
      'mounts what exists, read-only',
      'postgres-data:/var/lib/postgresql',
      'other:/var/lib/postgresql',
    ],
    [
      'a variable that Dormouse does not know',
      'gives the gateway an environment that src/config.ts takes',
      'DORMOUSE_GATEWAY_HOST:',
      'DORMOUSE_GATEWAY_ADDRESS:',
    ],
    [
      'a required variable left out',
      'gives the worker an environment that src/config.ts takes',
      /^ {2}DORMOUSE_KRATOS_ADMIN_URL.*\n/m,
      '',
    ],
    [
      'a value that does not parse',
      'gives the worker an environment that src/config.ts takes',
      'http://hydra:4445\n  DORMOUSE_SMTP_URL',
      'hydra\n  DORMOUSE_SMTP_URL',
    ],
    [
      'a search attribute left out',
      'registers the search attributes of src/domain',
      /- DormousePolicy=.*\n/,
      '',
    ],
    [
      'a search attribute of another type',
      'registers the search attributes of src/domain',
      'DormouseStage=Keyword',
      'DormouseStage=Text',
    ],
    ['a writable file system', 'locks the worker down', 'read_only: true', 'read_only: false'],
    ['root', 'locks the gateway down', "user: '1000:1000'", "user: '0:0'"],
    ['no limit of memory', 'locks the gateway down', /^ +memory: 512m\n/m, ''],
    ['no time to stop', 'locks the worker down', 'stop_grace_period: 90s', 'stop_grace_period: 5s'],
    [
      'a secret with a default',
      'demands secrets from the environment',
      /\$\{HYDRA_SYSTEM_SECRET:\?[^}]*\}/,
      '$${HYDRA_SYSTEM_SECRET:-well-known}',
    ],
    [
      'a secret in the file',
      'demands secrets from the environment',
      /SQL_PASSWORD: .*/,
      'SQL_PASSWORD: temporal',
    ],
    [
      'a password in a URL',
      'demands secrets from the environment',
      /kratos:\$\{KRATOS_DATABASE_PASSWORD[^}]*\}@/,
      'kratos:secret@',
    ],
    ['an undocumented variable', 'uses exactly the variables of .env.example', "'128'", '$${SHARDS:-128}'],
    [
      'a documented variable that is not used',
      'uses exactly the variables of .env.example',
      /\$\{DORMOUSE_LOG_LEVEL:-info\}/,
      'info',
    ],
    [
      'a default other than the documented one',
      'uses exactly the variables of .env.example',
      'LEVEL:-info',
      'LEVEL:-debug',
    ],
    ['another Kratos', 'runs the Kratos of tools/kratos', 'oryd/kratos:v1.3.1', 'oryd/kratos:v1.3.0'],
    ['another Hydra', 'runs the Hydra of tools/hydra', 'oryd/hydra:v2.3.0', 'oryd/hydra:v2.2.0'],
  ];

  it.each(breaks)('%s', (_what, check, find, replacement) => {
    const broken = text.replace(find, replacement);
    expect(broken).not.toBe(text);
    expect(checks[check]?.(broken)).not.toEqual([]);
  });
});

describe('the configuration that the compose file mounts', () => {
  it('parses, and the identity schema is at the path that Kratos reads', () => {
    const kratos = parse(read('deploy/kratos/kratos.yml')) as {
      version: string;
      identity: { schemas: { url: string }[] };
    };
    const hydra = parse(read('deploy/hydra/hydra.yml')) as { version: string };
    const mounted = (compose.services.kratos?.volumes ?? []).map(
      (volume) => `file://${volume.split(':')[1]}`,
    );
    for (const { url } of kratos.identity.schemas) expect(mounted).toContain(url);
    expect(kratos.version).toBe(tagOf(compose.services.kratos?.image ?? ''));
    expect(hydra.version).toBe(tagOf(compose.services.hydra?.image ?? ''));
    expect(JSON.parse(read('deploy/kratos/identity.schema.json'))).toHaveProperty('properties.traits');
    expect(parse(read('deploy/temporal/dynamic-config.yaml'))).toHaveProperty(['matching.useNewMatcher']);
  });

  it('creates every database and role that a service connects to', () => {
    const sql = read('deploy/postgres/create-databases.sql');
    for (const database of ['dormouse', 'kratos', 'hydra', 'temporal', 'temporal_visibility']) {
      expect(sql).toMatch(new RegExp(`create database ${database} owner `));
    }
    for (const [, service] of Object.entries(compose.services)) {
      for (const value of Object.values(service.environment ?? {})) {
        const url = /^postgres:\/\/(\w+):.*@postgres:5432\/(\w+)/.exec(value);
        if (url === null) continue;
        const [, role, database] = url;
        const mayUse = [
          `create database ${database} owner ${role};`,
          `grant connect on database ${database} to ${role};`,
        ];
        expect(sql).toContain(`create role ${role} login`);
        expect(
          mayUse.some((statement) => sql.includes(statement)),
          value,
        ).toBe(true);
      }
    }
    for (const [, name] of sql.matchAll(/^\\getenv \w+ (\w+)$/gm)) {
      expect(Object.keys(compose.services.postgres?.environment ?? {})).toContain(name);
    }
  });

  it('gives worker and gateway another role than the owner of the tables; only migrations use the owner', () => {
    const { worker, gateway, 'dormouse-migrate': migrations } = compose.services;
    for (const service of [worker, gateway]) {
      expect(service?.environment?.DORMOUSE_POSTGRES_URL).toMatch(/^postgres:\/\/dormouse_runtime:/);
      expect(service?.environment).not.toHaveProperty('DORMOUSE_POSTGRES_MIGRATION_URL');
    }
    expect(migrations?.command).toEqual(['dist/cli.js', 'database', 'migrate']);
    expect(migrations?.environment?.DORMOUSE_POSTGRES_MIGRATION_URL).toMatch(/^postgres:\/\/dormouse:/);
  });

  it('registers each search attribute by name and type', () => {
    expect(compose.services['temporal-namespace']?.entrypoint).toEqual([
      '/bin/sh',
      '/deploy/setup-namespace.sh',
    ]);
    expect(read('deploy/temporal/setup-namespace.sh')).toContain(
      'temporal operator search-attribute create --name "$name" --type "$type"',
    );
  });

  it('is shell that a plain sh can read', () => {
    const scripts = readdirSync(join(root, 'deploy'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.sh'),
    );
    expect(scripts.length).toBeGreaterThanOrEqual(3);
    for (const script of scripts) {
      expect(spawnSync('sh', ['-n', join(root, 'deploy', script)], { encoding: 'utf8' }).stderr).toBe('');
    }
  });
});

describe('deploy/create-env.sh', () => {
  const directories: string[] = [];
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  const run = () => {
    const directory = mkdtempSync(join(tmpdir(), 'dormouse-env-'));
    directories.push(directory);
    const target = join(directory, 'env');
    const create = () =>
      spawnSync('sh', [join(root, 'deploy/create-env.sh'), target], { encoding: 'utf8' }).status;
    return { target, create };
  };

  it('gives every secret a value of its own, in a file for the owner only', () => {
    const { target, create } = run();
    expect(create()).toBe(0);
    const env = parseEnv(readFileSync(target, 'utf8'));
    expect(Object.keys(env)).toEqual(Object.keys(example));
    const secrets = Object.entries(example)
      .filter(([, value]) => value.startsWith('replace-me-'))
      .map(([name]) => env[name]);
    expect(secrets).toHaveLength(16);
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{32}$/);
    expect(environmentProblems(compose.services.gateway, env)).toEqual([]);
    expect(statSync(target).mode & 0o077).toBe(0);
  });

  it('never touches a file that exists', () => {
    const { target, create } = run();
    expect(create()).toBe(0);
    const before = readFileSync(target, 'utf8');
    expect(create()).not.toBe(0);
    expect(readFileSync(target, 'utf8')).toBe(before);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  it('starts from an image of Node.js 24 with glibc, pinned to its digest', () => {
    const stages = new Set(lines.flatMap((line) => /^FROM \S+ AS (\S+)$/.exec(line)?.[1] ?? []));
    const bases = lines
      .flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? [])
      .filter((one) => !stages.has(one));
    expect(bases).not.toHaveLength(0);
    for (const base of bases)
      expect(base).toMatch(/^node:24\.\d+\.\d+-(bookworm|trixie)-slim@sha256:[0-9a-f]{64}$/);
  });

  it('does not run as root, with production dependencies only', () => {
    expect(lines.findLast((line) => line.startsWith('USER '))).toBe('USER 1000:1000');
    expect(lines.some((line) => line.startsWith('RUN npm ci --omit=dev --ignore-scripts '))).toBe(true);
    expect(lines).toContain('ENTRYPOINT ["node"]');
  });

  it('copies only files that exist and that .dockerignore allows', () => {
    const ignored = read('.dockerignore').split('\n');
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .filter((source) => source !== '.');
    expect(sources).toContain('policies');
    for (const source of sources) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(ignored).not.toContain(source);
    }
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.env.*', 'node_modules', '.git']));
  });
});
