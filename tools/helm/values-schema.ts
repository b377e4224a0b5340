/** What values the chart takes, as JSON Schema. Strict: a misspelt name is refused, and no secret has a place. Pure. */
import { z } from 'zod';
import { variables } from '../../src/config/variables.js';
import type { VariableName } from '../../src/config.js';
import {
  fileVariables,
  listenVariables,
  requiredVariables,
  secretVariables,
  variablesOfParts,
} from './variables-of-parts.js';

type Schema = Readonly<Record<string, unknown>>;

/** An object with these members and no others. */
const only = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...more,
});
const text = (description: string): Schema => ({ type: 'string', description });
const toggle = (description: string): Schema => ({ type: 'boolean', description });
const count = (description: string, minimum = 1): Schema => ({ type: 'integer', minimum, description });
/** A part of a Kubernetes object, which the API server checks. */
const objectOf = (description: string): Schema => ({ type: 'object', description });
const listOf = (description: string): Schema => ({ type: 'array', items: { type: 'object' }, description });
const annotations = (description: string): Schema => ({
  type: 'object',
  additionalProperties: { type: 'string' },
  description,
});

const secretName = { type: 'string', minLength: 1, description: 'name of an existing Secret' };
const secretKey = { type: 'string', minLength: 1, description: "its key; default: the variable's name" };
const fileKey = { type: 'string', minLength: 1, description: 'the key with the file' };

function isOneOf(names: readonly VariableName[], name: VariableName): boolean {
  return names.includes(name);
}

/** In the order of src/config/variables.ts. */
const readByParts = (Object.keys(variables) as VariableName[]).filter((name) =>
  Object.values(variablesOfParts).some((names) => names.includes(name)),
);
export const settingVariables = readByParts.filter(
  (name) => ![secretVariables, fileVariables, listenVariables].some((names) => isOneOf(names, name)),
);

/** As src/config reads it from the environment. */
function settingOf(name: VariableName): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(variables[name], { io: 'input', unrepresentable: 'any' });
  return schema;
}

const among = (names: readonly VariableName[]) => requiredVariables.filter((name) => isOneOf(names, name));

function settings(): Schema {
  const properties = Object.fromEntries(settingVariables.map((name) => [name, settingOf(name)]));
  return only(properties, { required: among(settingVariables) });
}

function secrets(): Schema {
  const properties = Object.fromEntries(
    secretVariables.map((name) => [
      name,
      only(
        { name: secretName, key: secretKey },
        { required: ['name'], description: variables[name].description },
      ),
    ]),
  );
  return only(properties, { required: among(secretVariables) });
}

function files(): Schema {
  const fromMap = only({ configMap: text('name of an existing ConfigMap'), key: fileKey });
  const fromSecret = only({ secret: secretName, key: fileKey });
  const fromImage = only({ path: text('a file of the image, as policies/presets/pci-dss.yaml') });
  const one = (schema: Schema, required: readonly string[]) => ({ ...schema, required });
  return only(
    Object.fromEntries(
      fileVariables.map((name) => [
        name,
        {
          description: variables[name].description,
          oneOf: [
            one(fromMap, ['configMap', 'key']),
            one(fromSecret, ['secret', 'key']),
            ...(name === 'DORMOUSE_POLICY_FILE' ? [one(fromImage, ['path'])] : []),
          ],
        },
      ]),
    ),
  );
}

const disruptionBudget = only({
  enabled: toggle('limits how many are evicted at once'),
  maxUnavailable: { type: ['integer', 'string'], description: 'a number, or a percentage as 25%' },
});

/** What every pod has. */
const pod: Record<string, Schema> = {
  resources: objectOf('requests and limits'),
  podAnnotations: annotations('annotations of the pods'),
  podLabels: annotations('labels of the pods, beside those of the chart'),
  nodeSelector: annotations('labels of the nodes that may run it'),
  tolerations: listOf('taints that it tolerates'),
  affinity: objectOf('affinity of the pods'),
  priorityClassName: text('its PriorityClass'),
};
const longRunning: Record<string, Schema> = {
  replicas: count('pods', 0),
  ...pod,
  topologySpreadConstraints: listOf('replaces the spread over zones and nodes'),
  terminationGracePeriodSeconds: count('how long a pod may take to end; the process gives up after 30 s', 40),
  disruptionBudget,
  secretVariables: {
    type: 'object',
    description: 'further variables that the mounted files name, each from an existing Secret',
    propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' },
    additionalProperties: only({ name: secretName, key: secretKey }, { required: ['name'] }),
  },
};

const autoscaling = only({
  enabled: toggle('scales workers by what waits for them'),
  minReplicas: count('pods at least'),
  maxReplicas: count('pods at most'),
  tasksPerWorker: count('tasks that may wait for each worker'),
  scaleDownAfterSeconds: count('how long the backlog has to be small before a worker is taken off', 0),
  metric: only({
    name: text('name of the external metric'),
    matchLabels: annotations('its labels'),
  }),
});

const ingress = (description: string): Schema =>
  only(
    {
      enabled: toggle(description),
      className: text('its IngressClass'),
      annotations: annotations('annotations of the Ingress'),
      host: text('the host, as account.example.com'),
      tlsSecret: text('name of an existing Secret with the certificate'),
    },
    {
      if: { properties: { enabled: { const: true } }, required: ['enabled'] },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
      then: {
        required: ['host', 'tlsSecret'],
        properties: { host: { minLength: 1 }, tlsSecret: { minLength: 1 } },
      },
    },
  );

const part = { type: 'string', enum: Object.keys(variablesOfParts) };
const networkPolicy = only({
  enabled: toggle('lets in and out what is named here, and nothing else'),
  peopleFrom: listOf('peers that reach the address for people and apps; empty: all'),
  operatorsFrom: listOf("peers that reach the operators' address; empty: none"),
  metricsFrom: listOf('peers that reach /metrics; empty: none'),
  dnsPeers: listOf('the name servers; empty: all, at port 53'),
  to: {
    type: 'array',
    description: 'what is reached',
    items: only(
      {
        name: text('for the reader'),
        parts: { type: 'array', items: part, minItems: 1, description: 'who reaches it' },
        ports: {
          type: 'array',
          items: { type: 'integer', minimum: 1, maximum: 65_535 },
          minItems: 1,
          description: 'ports, by TCP',
        },
        peers: listOf('where it is; empty: everywhere'),
      },
      { required: ['name', 'parts', 'ports'] },
    ),
  },
});

const monitoring = only({
  podMonitor: only({
    enabled: toggle('tells the Prometheus Operator to read the metrics'),
    labels: annotations('labels by which Prometheus chooses it'),
    interval: { type: 'string', pattern: '^\\d+(s|m)$', description: 'how often, as 30s' },
  }),
  rules: only({
    enabled: toggle('gives the alert rules to the Prometheus Operator'),
    labels: annotations('labels by which Prometheus chooses them'),
    runbooks: text('address of your copy of docs/runbooks.md; empty: the path in the repository'),
  }),
});

const portNumber = (description: string): Schema => ({
  type: 'integer',
  minimum: 1024,
  maximum: 65_535,
  description,
});

/** The schema of values.yaml. */
export function valuesSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart dormouse',
    ...only(
      {
        global: { type: 'object', description: 'of a parent chart; not read' },
        nameOverride: text('replaces the name of the chart in names of objects'),
        fullnameOverride: text('replaces the names of objects'),
        image: only(
          {
            repository: { type: 'string', minLength: 1, description: 'the image without tag' },
            tag: text('default: the version of the chart'),
            digest: {
              type: 'string',
              pattern: '^(sha256:[0-9a-f]{64})?$',
              description: 'sha256:…, in place of a tag',
            },
            pullPolicy: { type: 'string', enum: ['IfNotPresent', 'Always', 'Never'] },
            pullSecrets: { type: 'array', items: only({ name: secretName }, { required: ['name'] }) },
          },
          { required: ['repository'] },
        ),
        settings: settings(),
        secrets: secrets(),
        files: files(),
        listen: { type: 'string', enum: ['0.0.0.0', '::'], description: ':: where pods have IPv6' },
        ports: only({
          people: portNumber('for people, apps and hooks'),
          operators: portNumber('for operators and their desk'),
          metrics: portNumber('for /metrics, /livez and /readyz'),
        }),
        serviceAccount: only({
          create: toggle('false: the one named is there'),
          name: text('its name; empty: that of the release'),
          annotations: annotations('annotations of the ServiceAccount'),
        }),
        prepare: only({
          ...pod,
          migrate: toggle('migrates the database ahead of an installation and an upgrade'),
          searchAttributes: toggle("registers Temporal's search attributes then"),
          activeDeadlineSeconds: count('how long it may take'),
          backoffLimit: count('how often it is repeated', 0),
        }),
        worker: only({ ...longRunning, autoscaling }),
        gateway: only({
          ...longRunning,
          serviceAnnotations: annotations('annotations of both Services'),
        }),
        ingress: only({
          people: ingress('publishes the address for people, apps and hooks'),
          operators: ingress("publishes the operators' address and the desk"),
        }),
        networkPolicy,
        monitoring,
      },
      { required: ['settings', 'secrets'] },
    ),
  };
}
