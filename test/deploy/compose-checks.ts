/** Checks of docker-compose.yml. Each returns the problems that it found, so that it can be tested itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type VariableName, variables } from '../../src/config.js';
import { searchAttributes } from '../../src/domain/search-attributes.js';
import { type ComposeFile, interpolate, type Reference, type Service } from './compose-file.js';

const services = (compose: ComposeFile): [string, Service][] => Object.entries(compose.services);
const isLongRunning = (service: Service): boolean => service.restart === 'unless-stopped';
const isOneShot = (service: Service): boolean => /^on-failure(:\d+)?$/.test(service.restart ?? '');
const isVariable = (name: string): name is VariableName => name in variables;
const variableNames = Object.keys(variables).filter(isVariable);

/** Names that no entry point can start without. */
export const requiredVariables = variableNames.filter(
  (name) => !variables[name].safeParse(undefined).success,
);

/** The tag of an image, or undefined; a port in a registry's name is no tag. */
export const tagOf = (image: string): string | undefined =>
  /:([^:/@]+)(@sha256:[0-9a-f]{64})?$/.exec(image)?.[1];

/** Images without a confirmed digest; the file says so beside them. */
const withoutDigest = ['temporalio/server', 'temporalio/admin-tools'];

/** A version names the release, a digest its bytes; only the image that is built here has no digest. */
export function imageProblems(compose: ComposeFile): string[] {
  return services(compose).flatMap(([name, { image, build }]) => {
    if (image === undefined) return [`${name} has no image`];
    const tag = tagOf(image);
    // A version has two numbers at least: "18" or "latest" would move.
    if (tag === undefined || !/^v?\d+\.\d+/.test(tag))
      return [`${name}: ${image} is not pinned to a version`];
    const needsDigest = build === undefined && !withoutDigest.some((known) => image.startsWith(`${known}:`));
    return needsDigest && !/@sha256:[0-9a-f]{64}$/.test(image)
      ? [`${name}: ${image} is not pinned to a digest`]
      : [];
  });
}

export function restartProblems(compose: ComposeFile): string[] {
  return services(compose).flatMap(([name, service]) =>
    isLongRunning(service) || isOneShot(service) ? [] : [`${name}: restart policy ${service.restart}`],
  );
}

export function healthcheckProblems(compose: ComposeFile): string[] {
  return services(compose).flatMap(([name, service]) => {
    if (isOneShot(service)) return [];
    const test = service.healthcheck?.test ?? [];
    const timing: Record<string, unknown> = service.healthcheck ?? {};
    if (!['CMD', 'CMD-SHELL'].includes(test[0] ?? '') || test[1] === undefined) {
      return [`${name} has no healthcheck`];
    }
    return ['interval', 'timeout', 'start_period'].flatMap((key) =>
      /^(\d+(ms|s|m|h))+$/.test(String(timing[key]))
        ? []
        : [`${name}: ${key} is no duration: ${timing[key]}`],
    );
  });
}

export function portProblems(compose: ComposeFile): string[] {
  const taken = new Map<string, string>();
  return services(compose).flatMap(([name, { ports = [] }]) =>
    ports.flatMap((port) => {
      const published = /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1];
      if (published === undefined) return [`${name}: ${port} is not bound to 127.0.0.1`];
      const owner = taken.get(published);
      taken.set(published, name);
      return owner === undefined ? [] : [`${name} and ${owner} both publish ${published}`];
    }),
  );
}

/**
 * PostgreSQL is reached by those that store in it; what knows no sign-in is in no network with a way out but through them; nothing is
 * published that is not meant to be.
 */
export function networkProblems(compose: ComposeFile): string[] {
  const declared = compose.networks ?? {};
  const open = ['internal', 'data'].filter((name) => declared[name]?.internal !== true);
  const isIn = ({ networks = [] }: Service, name: string) => networks.includes(name);
  const stores = ([name, { environment = {} }]: [string, Service]) =>
    name === 'postgres' || Object.values(environment).some((value) => /@postgres:|^postgres$/.test(value));
  return [
    ...open.map((name) => `the network ${name} has a way out`),
    ...services(compose).flatMap(([name, service]) => [
      ...(service.networks ?? ['default'])
        .filter((network) => !(network in declared))
        .map((network) => `${name} is in the network ${network}, which is not declared`),
      ...(isIn(service, 'public') === (service.ports !== undefined)
        ? []
        : [`${name}: who publishes a port is in the network public, and nobody else`]),
      ...(isIn(service, 'data') === stores([name, service])
        ? []
        : [`${name}: who stores in PostgreSQL is in the network data, and nobody else`]),
    ]),
  ];
}

/** Development modes take cookies and issuers of plain HTTP. */
export function developmentProblems(compose: ComposeFile): string[] {
  return services(compose).flatMap(([name, { command = [] }]) =>
    command.includes('--dev') ? [`${name} runs in its development mode`] : [],
  );
}

export function dependencyProblems(compose: ComposeFile): string[] {
  return services(compose).flatMap(([name, service]) =>
    Object.entries(service.depends_on ?? {}).flatMap(([target, { condition }]) => {
      const other = compose.services[target];
      if (other === undefined) return [`${name} depends on ${target}, which does not exist`];
      const fitting = isOneShot(other) ? 'service_completed_successfully' : 'service_healthy';
      return condition === fitting ? [] : [`${name} waits for ${target} by ${condition}, not ${fitting}`];
    }),
  );
}

export function mountProblems(compose: ComposeFile, root: string): string[] {
  return services(compose).flatMap(([name, { volumes = [] }]) =>
    volumes.flatMap((volume) => {
      const [source = '', target, mode] = volume.split(':');
      if (target === undefined) return [`${name}: ${volume} has no target`];
      if (!source.startsWith('./')) {
        return source in (compose.volumes ?? {}) ? [] : [`${name}: the volume ${source} is not declared`];
      }
      const missing = existsSync(join(root, source)) ? [] : [`${name}: ${source} does not exist`];
      return mode === 'ro' ? missing : [...missing, `${name}: ${source} is mounted writable`];
    }),
  );
}

export function environmentProblems(
  service: Service | undefined,
  env: Readonly<Record<string, string>>,
  unneeded: readonly VariableName[] = [],
): string[] {
  const environment = service?.environment ?? {};
  const unknown = Object.keys(environment).filter((name) => !isVariable(name));
  const missing = requiredVariables.filter((name) => !unneeded.includes(name) && !(name in environment));
  const given = variableNames.filter((name) => name in environment);
  let unreadable: string[] = [];
  try {
    readConfig(
      given,
      Object.fromEntries(given.map((name) => [name, interpolate(environment[name] ?? '', env)])),
    );
  } catch (error) {
    unreadable = [error instanceof Error ? error.message : String(error)];
  }
  return [
    ...unknown.map((name) => `${name} is not a variable of src/config.ts`),
    ...missing.map((name) => `${name} is not set`),
    ...unreadable,
  ];
}

/** Variables that this deployment does not use: for a Temporal and an Ory in the cloud. */
const forTheCloud: readonly VariableName[] = [
  'DORMOUSE_TEMPORAL_API_KEY',
  'DORMOUSE_TEMPORAL_TLS',
  'DORMOUSE_ORY_TOKEN',
];

export function unreachableProblems(compose: ComposeFile): string[] {
  const handedOn = new Set(
    Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment ?? {})),
  );
  return variableNames
    .filter((name) => !handedOn.has(name) && !forTheCloud.includes(name))
    .map((name) => `${name} can't be set: no service hands it on`);
}

export function searchAttributeProblems(compose: ComposeFile): string[] {
  const wanted = Object.entries(searchAttributes).map(([name, type]) => `${name}=${type}`);
  const given = compose.services['temporal-namespace']?.command ?? [];
  return [
    ...wanted.filter((one) => !given.includes(one)).map((one) => `${one} is not registered`),
    ...given.filter((one) => !wanted.includes(one)).map((one) => `${one} is not one of Dormouse's`),
  ];
}

export function hardeningProblems(compose: ComposeFile, name: string): string[] {
  const service = compose.services[name];
  if (service === undefined) return [`there is no ${name}`];
  const limits = service.deploy?.resources.limits ?? {};
  return [
    ...(service.read_only === true ? [] : [`${name} may write its file system`]),
    ...(/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? '') ? [] : [`${name} runs as ${service.user}`]),
    ...(service.cap_drop?.includes('ALL') === true ? [] : [`${name} keeps capabilities`]),
    ...(Number.parseInt(service.stop_grace_period ?? '10s', 10) >= 30 ? [] : [`${name} has no time to stop`]),
    ...['cpus', 'memory', 'pids'].flatMap((key) => (key in limits ? [] : [`${name} has no limit of ${key}`])),
  ];
}

/** Secrets are demanded, never defaulted, and never written into the file. */
export function secretProblems(used: readonly Reference[], compose: ComposeFile): string[] {
  // A token hook is no token, and neither are settings that only speak of tokens.
  const secret = /(PASSWORD|SECRETS?|TOKENS?(?!_HOOK|_EVERY|_PAGE|_SOURCES_FILE))(_|$)/;
  const defaulted = used.filter(({ name, operator }) => secret.test(name) && operator !== ':?');
  const literal = services(compose).flatMap(([name, { environment = {} }]) =>
    Object.entries(environment)
      .filter(([key, value]) => (secret.test(key) || key.endsWith('_PWD')) && !value.includes('${'))
      .map(([key]) => `${name}: ${key} is written into the file`),
  );
  const urls = services(compose).flatMap(([name, { environment = {} }]) =>
    Object.entries(environment)
      .filter(([, value]) => /\/\/[^/:@$]*:[^$@/][^@/]*@/.test(value))
      .map(([key]) => `${name}: ${key} has a password in the file`),
  );
  return [...defaulted.map(({ name }) => `${name} is not demanded by :?`), ...literal, ...urls];
}

export function envExampleProblems(
  used: readonly Reference[],
  example: Readonly<Record<string, string>>,
): string[] {
  const names = new Set(used.map(({ name }) => name));
  return [
    ...[...names].filter((name) => !(name in example)).map((name) => `${name} is not documented`),
    ...Object.keys(example)
      .filter((name) => !names.has(name))
      .map((name) => `${name} is not used`),
    ...used
      .filter(({ name, operator, operand }) => operator === ':-' && example[name] !== operand)
      .map(({ name }) => `the default of ${name} differs`),
  ];
}

/** The version of a server in compose, against the module that the embedded stack builds. */
export function versionProblems(
  compose: ComposeFile,
  goMod: string,
  module: string,
  image: string,
): string[] {
  const line = goMod.split('\n').find((one) =>
    one
      .replace(/^require/, '')
      .trim()
      .startsWith(`${module} v`),
  );
  const version = line === undefined ? undefined : /\sv[^\s]+/.exec(line)?.[0].trim();
  if (version === undefined) return [`${module} is not in go.mod`];
  const users = services(compose).filter(([, service]) => service.image?.startsWith(`${image}:`) === true);
  if (users.length === 0) return [`no service runs ${image}`];
  return users.flatMap(([name, service]) =>
    tagOf(service.image ?? '') === version ? [] : [`${name} runs ${service.image}, go.mod has ${version}`],
  );
}
