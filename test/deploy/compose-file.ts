/** docker-compose.yml as data, and the interpolation of its variables. Only what the checks need; no container engine. */
import { parse } from 'yaml';
import { z } from 'zod';

const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);

const service = z.looseObject({
  image: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  restart: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  read_only: z.boolean().optional(),
  user: z.string().optional(),
  networks: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  deploy: z
    .looseObject({ resources: z.looseObject({ limits: z.record(z.string(), z.unknown()).optional() }) })
    .optional(),
});

const composeFile = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()).optional(),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()).optional(),
});

export type Service = z.infer<typeof service>;
export type ComposeFile = z.infer<typeof composeFile>;

/** The file as YAML, merge keys resolved, in the shape that the Compose Specification's schema judges. */
export const parseYaml = (text: string): unknown => parse(text, { merge: true });

/** The same as typed data. */
export const parseCompose = (text: string): ComposeFile => composeFile.parse(parseYaml(text));

const reference = /\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?<operator>:?[-?])(?<operand>[^}]*))?\}/g;

export interface Reference {
  readonly name: string;
  /** `:?` demands a value, `:-` has a default. */
  readonly operator: string;
  readonly operand: string;
}

/** Every `${VAR}` of the text, comments left out. */
export function references(text: string): Reference[] {
  const withoutComments = text.replace(/(^|\s)#.*$/gm, '$1');
  return [...withoutComments.matchAll(reference)].map(({ groups }) => ({
    name: groups?.name ?? '',
    operator: groups?.operator ?? '',
    operand: groups?.operand ?? '',
  }));
}

/** Replaces each `${VAR}` as Compose does; throws where a demanded one has no value. */
export function interpolate(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(reference, (_match, name: string, operator = '', operand = '') => {
    const found = env[name];
    if (found !== undefined && found !== '') return found;
    if (operator === ':-') return operand;
    throw new Error(`${name} is not set: ${operand}`);
  });
}

/** A .env file: `NAME=value` lines, double quotes around a value taken off. */
export function parseEnv(text: string): Record<string, string> {
  const entries = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line): [string, string] => {
      const at = line.indexOf('=');
      if (at < 1) throw new Error(`not NAME=value: ${line}`);
      return [line.slice(0, at), line.slice(at + 1).replace(/^"(.*)"$/, '$1')];
    });
  const names = entries.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${twice} is set twice`);
  return Object.fromEntries(entries);
}
