/** The Helm chart, by Helm itself and by the types of Kubernetes' API: both are built once (tools/helm). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { chartDirectory } from '../../tools/helm/chart-files.js';
import { type ChartPrograms, chartPrograms } from '../../tools/helm/programs.js';

let programs: ChartPrograms;
beforeAll(async () => {
  programs = await chartPrograms({ line: (text) => console.log(text), status: () => undefined });
}, 1_800_000);

const valueFiles = (await readdir(join(chartDirectory, 'ci'))).map((name) =>
  join(chartDirectory, 'ci', name),
);
const [minimal = '', production = '', cloud = ''] = ['minimal', 'production', 'temporal-cloud'].map((name) =>
  join(chartDirectory, 'ci', `${name}-values.yaml`),
);
/** The oldest that the chart takes. */
const kubeVersion = ['--kube-version', '1.30.0'];

/** @param sets as `--set-json` takes them */
function helm(command: readonly string[], values: string, sets: readonly string[] = []) {
  const settings = sets.flatMap((one) => ['--set-json', one]);
  return execa(programs.helm, [...command, ...kubeVersion, '--values', values, ...settings], {
    reject: false,
    all: true,
  });
}

const render = (values: string, ...sets: string[]) =>
  helm(['template', 'acorn', chartDirectory, '--namespace', 'identity'], values, sets);

const checkObjects = (input: string) => execa(programs.checkObjects, { input, reject: false, all: true });

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(
    z.strictObject({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z.unknown().optional(),
    }),
  ),
  ports: z.array(z.looseObject({ name: z.string() })).default([]),
  securityContext: z.unknown(),
  lifecycle: z.unknown().optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const pod = z.looseObject({
  initContainers: z.array(container).default([]),
  containers: z.array(container).length(1),
  securityContext: z.unknown(),
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  terminationGracePeriodSeconds: z.number().optional(),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
const labels = z.record(z.string(), z.string());
const object = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: labels.optional() }),
  spec: z.looseObject({}).optional(),
});
const workload = z.looseObject({
  replicas: z.number().optional(),
  selector: z.strictObject({ matchLabels: labels }).optional(),
  template: z.looseObject({ metadata: z.looseObject({ labels }), spec: pod }),
});

async function objectsOf(values: string, ...sets: string[]) {
  const { stdout, all, exitCode } = await render(values, ...sets);
  expect(exitCode, all).toBe(0);
  const objects = parseAllDocuments(stdout)
    .map((document) => document.toJS() as unknown)
    .filter((one) => one !== null)
    .map((one) => object.parse(one));
  const named = (kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name) ??
    expect.fail(`there is no ${kind} ${name}`);
  return { objects, named, kinds: (kind: string) => objects.filter((one) => one.kind === kind) };
}

async function workloadsOf(values: string, ...sets: string[]) {
  const { named, objects } = await objectsOf(values, ...sets);
  const of = (kind: string, name: string) => workload.parse(named(kind, name).spec);
  return {
    worker: of('Deployment', 'acorn-dormouse-worker'),
    gateway: of('Deployment', 'acorn-dormouse-gateway'),
    prepare: of('Job', 'acorn-dormouse-prepare'),
    all: objects
      .filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
      .map(({ spec }) => workload.parse(spec)),
  };
}

const environmentOf = ({ template }: z.infer<typeof workload>) =>
  Object.fromEntries(
    template.spec.containers.flatMap(({ env }) =>
      env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]),
    ),
  );

describe.each(valueFiles)('%s', (values) => {
  it('passes "helm lint --strict"', async () => {
    const { all, exitCode } = await helm(['lint', '--strict', chartDirectory], values);
    expect(exitCode, all).toBe(0);
  });

  it("renders objects that Kubernetes' API takes", async () => {
    const { stdout } = await render(values);
    const { all, exitCode, stdout: names } = await checkObjects(stdout);
    expect(exitCode, all).toBe(0);
    const rendered = parseAllDocuments(stdout).filter((document) => document.toJS() !== null);
    expect(names.split('\n')).toHaveLength(rendered.length);
    expect(names).toContain('Deployment/acorn-');
  });
});

describe('the check of objects refuses', () => {
  it.each([
    [
      'a field that is none',
      'terminationGracePeriodSeconds:',
      'terminationGracePeriod:',
      'unknown field "spec.template.spec.terminationGracePeriod"',
    ],
    ['a value of another type', 'maxSurge: 1', 'maxSurge: {count: 1}', 'cannot unmarshal'],
    ['a text for a number', 'failureThreshold: 60', 'failureThreshold: many', 'cannot unmarshal'],
    ['a number for a text', 'value: "on"', 'value: 1', 'cannot unmarshal'],
    ['a field that is there twice', 'replicas: 2', 'replicas: 2\n  replicas: 3', 'already set in map'],
    ['a kind that is none', 'kind: Deployment', 'kind: Deploymnt', 'no kind "Deploymnt"'],
    ['an API that is gone', 'policy/v1\n', 'policy/v1beta9\n', 'policy/v1beta9'],
    [
      'a field of a PodMonitor that is none',
      'podMetricsEndpoints:',
      'endpoints:',
      'unknown field "spec.endpoints"',
    ],
    [
      'a field of an alert that is none',
      /expr: >-/,
      'expression: >-',
      'unknown field "spec.groups[0].rules[0].expression"',
    ],
  ])('%s', async (_what, find, replacement, problem) => {
    const { stdout } = await render(production);
    const broken = stdout.replace(find, replacement);
    expect(broken).not.toBe(stdout);
    const { stderr, exitCode } = await checkObjects(broken);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(problem);
    expect(stderr).toMatch(/^dormouse\/templates\//m);
  });
});

describe('the chart refuses', () => {
  it.each([
    ['a variable that is none', 'settings.DORMOUSE_TASK_QUEU="acorn"', 'DORMOUSE_TASK_QUEU'],
    ['a misspelt value', 'worker.replica=3', 'replica'],
    ['a secret as a setting', 'settings.DORMOUSE_SMTP_URL="smtp://user:secret@host"', 'DORMOUSE_SMTP_URL'],
    ["a secret's value in place of its name", 'secrets.DORMOUSE_SMTP_URL="smtp://host"', 'DORMOUSE_SMTP_URL'],
    ['no address of Kratos', 'settings.DORMOUSE_KRATOS_ADMIN_URL=null', 'DORMOUSE_KRATOS_ADMIN_URL'],
    ['a bare on, which YAML reads as true', 'settings.DORMOUSE_SESSIONS_PAGE=true', 'DORMOUSE_SESSIONS_PAGE'],
    ['a rate beyond its limit', 'settings.DORMOUSE_MAIL_RATE=100000', 'DORMOUSE_MAIL_RATE'],
    ['a digest that is none', 'image.digest="latest"', 'digest'],
    [
      'an end that is too soon for the process',
      'worker.terminationGracePeriodSeconds=10',
      'terminationGracePeriodSeconds',
    ],
    [
      'an Ingress without certificate',
      'ingress.people={"enabled":true,"host":"a.example","tlsSecret":""}',
      'tlsSecret',
    ],
    ['a part that is none', 'networkPolicy.to=[{"name":"x","parts":["wrker"],"ports":[1]}]', 'parts'],
    [
      'a mounted policy without key',
      'files.DORMOUSE_POLICY_FILE={"configMap":"policy"}',
      'DORMOUSE_POLICY_FILE',
    ],
    ['one port for people and operators', 'ports.operators=8321', 'the public would reach the operators'],
    [
      'a PodMonitor that nobody lets in',
      'monitoring.podMonitor.enabled=true',
      'networkPolicy.metricsFrom names nobody',
    ],
    [
      "an operators' Ingress that nobody lets in",
      'ingress.operators={"enabled":true,"host":"a.example","tlsSecret":"b"}',
      'networkPolicy.operatorsFrom names nobody',
    ],
    [
      'a variable of Dormouse among those of files',
      'worker.secretVariables={"DORMOUSE_SMTP_URL":{"name":"x"}}',
      'it belongs to settings, secrets or files',
    ],
  ])('%s', async (_what, set, problem) => {
    const { exitCode, stderr } = await render(minimal, set);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(problem);
  });
});

describe('pods', () => {
  it.each([
    minimal,
    production,
    cloud,
  ])('run as nobody, with nothing to write but /tmp: %s', async (values) => {
    const { objects } = await objectsOf(values);
    const pods = objects
      .filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
      .map(({ spec }) => workload.parse(spec).template.spec);
    expect(pods).toHaveLength(3);
    for (const { securityContext, automountServiceAccountToken, enableServiceLinks, ...rest } of pods) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect([automountServiceAccountToken, enableServiceLinks]).toEqual([false, false]);
      for (const one of [...rest.initContainers, ...rest.containers]) {
        expect(one.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        const volumes = rest.volumes.map(({ name }) => name);
        expect(one.volumeMounts.map(({ name }) => name).filter((name) => !volumes.includes(name))).toEqual(
          [],
        );
      }
    }
  });

  it('get the secrets that they read, each by its name, and no others', async () => {
    const { worker, gateway, prepare } = await workloadsOf(production);
    const from = (name: string, key: string) => ({ secretKeyRef: { name, key } });
    expect(environmentOf(worker)).toMatchObject({
      DORMOUSE_POSTGRES_URL: from('dormouse-database', 'runtime-url'),
      DORMOUSE_DATA_KEY: from('dormouse', 'data-key'),
      ACORN_DATABASE_URL: from('acorn-reader', 'url'),
      DORMOUSE_MAIL_RATE: '0.5',
      DORMOUSE_POLICY_FILE: '/etc/dormouse/policy-file/acorn.yaml',
    });
    expect(environmentOf(worker)).not.toHaveProperty('DORMOUSE_SERVICE_TOKENS');
    expect(environmentOf(worker)).not.toHaveProperty('DORMOUSE_POSTGRES_MIGRATION_URL');
    expect(environmentOf(gateway)).toMatchObject({
      DORMOUSE_SERVICE_TOKENS: from('dormouse-gateway', 'service-tokens'),
      DORMOUSE_PRODUCT_NAME: 'Acorn: "home"',
      DORMOUSE_SESSIONS_PAGE: 'on',
      DORMOUSE_OPERATORS_LISTEN: '0.0.0.0:8322',
    });
    for (const name of ['DORMOUSE_DATA_KEY', 'DORMOUSE_SMTP_URL', 'DORMOUSE_POSTGRES_MIGRATION_URL']) {
      expect(environmentOf(gateway)).not.toHaveProperty(name);
    }
    expect(Object.keys(environmentOf(prepare))).toEqual([
      'DORMOUSE_TEMPORAL_ADDRESS',
      'DORMOUSE_POSTGRES_URL',
      'DORMOUSE_POSTGRES_MIGRATION_URL',
      'DORMOUSE_POLICY_ID',
    ]);
  });

  it('take the key with the name of the variable where none is named, and IPv6 addresses in brackets', async () => {
    const gateway = (await objectsOf(cloud)).named('Deployment', 'acorn-dm-gateway');
    expect(environmentOf(workload.parse(gateway.spec))).toMatchObject({
      DORMOUSE_TEMPORAL_API_KEY: { secretKeyRef: { name: 'dormouse', key: 'DORMOUSE_TEMPORAL_API_KEY' } },
      DORMOUSE_TEMPORAL_TLS: 'true',
      DORMOUSE_GATEWAY_HOST: '::',
      DORMOUSE_METRICS_LISTEN: '[::]:9464',
    });
  });

  it('have a digest in place of a tag where there is one', async () => {
    const image = async (values: string) =>
      (await workloadsOf(values)).all.map(({ template }) => template.spec.containers[0]?.image);
    expect(new Set(await image(minimal))).toEqual(new Set(['dormouse:0.1.0']));
    expect(new Set(await image(production))).toEqual(
      new Set([`registry.example/dormouse@sha256:${'a'.repeat(64)}`]),
    );
  });
});

describe('the job ahead of an upgrade', () => {
  it('is a hook that needs nothing of the chart, migrates and then registers search attributes', async () => {
    const { named } = await objectsOf(minimal);
    const job = named('Job', 'acorn-dormouse-prepare');
    expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    const { template } = workload.parse(job.spec);
    expect(template.spec).not.toHaveProperty('serviceAccountName');
    const commands = [...template.spec.initContainers, ...template.spec.containers].map(({ args }) => args);
    expect(commands).toEqual([
      ['dist/cli.js', 'database', 'migrate'],
      ['dist/cli.js', 'temporal', 'register'],
    ]);
    // Without it, a cluster that refuses everything by default would keep the job from its database.
    expect(named('NetworkPolicy', 'acorn-dormouse-prepare').metadata.annotations).toMatchObject({
      'helm.sh/hook': 'pre-install,pre-upgrade',
      'helm.sh/hook-weight': '-1',
    });
  });

  it('is left out where there is nothing to do', async () => {
    const { kinds } = await objectsOf(minimal, 'prepare.migrate=false', 'prepare.searchAttributes=false');
    expect(kinds('Job')).toEqual([]);
  });
});

describe('services and network policies', () => {
  it('people and operators have Services of their own; that for people gets an Ingress, once it is turned on', async () => {
    const { kinds, named } = await objectsOf(
      minimal,
      'ingress.people={"enabled":true,"host":"a.example","tlsSecret":"b"}',
    );
    expect(named('Service', 'acorn-dormouse').spec).toMatchObject({ ports: [{ targetPort: 'people' }] });
    expect(named('Service', 'acorn-dormouse-operators').spec).toMatchObject({
      ports: [{ targetPort: 'operators' }],
    });
    expect(kinds('Ingress').map(({ spec }) => spec)).toMatchObject([
      { rules: [{ http: { paths: [{ backend: { service: { name: 'acorn-dormouse' } } }] } }] },
    ]);
    expect((await objectsOf(minimal)).kinds('Ingress')).toEqual([]);
  });

  it('selectors match the pods that they mean, and no other', async () => {
    const { objects, all } = { ...(await objectsOf(production)), ...(await workloadsOf(production)) };
    const selectorOf = ({ kind, spec }: z.infer<typeof object>): Record<string, string> | undefined => {
      if (kind === 'Service') return labels.parse(spec?.selector);
      const selector = spec?.podSelector ?? spec?.selector;
      return selector === undefined
        ? undefined
        : labels.optional().parse((selector as { matchLabels?: unknown }).matchLabels);
    };
    const pods = all.map(({ template }) => template.metadata.labels);
    const selecting = objects.filter(({ kind }) =>
      ['Service', 'NetworkPolicy', 'PodDisruptionBudget', 'Deployment'].includes(kind),
    );
    expect(selecting).toHaveLength(9);
    for (const one of selecting) {
      const selector = Object.entries(selectorOf(one) ?? {});
      expect(selector).toHaveLength(3);
      expect(pods.filter((pod) => selector.every(([name, value]) => pod[name] === value))).toHaveLength(1);
    }
  });

  it('let in people only, and nobody to operators and metrics, until peers are named', async () => {
    const { named } = await objectsOf(minimal);
    const of = (part: string) => named('NetworkPolicy', `acorn-dormouse-${part}`).spec;
    expect(of('gateway')).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: [{ port: 'people', protocol: 'TCP' }] }],
    });
    expect(of('worker')).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: [] });
    expect(of('prepare')).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: [] });
    const ports = (part: string) =>
      (of(part)?.egress as { ports: { port: number }[] }[]).flatMap((rule) =>
        rule.ports.map(({ port }) => port),
      );
    expect(ports('worker')).toEqual([53, 53, 5432, 7233, 4433, 4434, 4445, 465, 587, 1025]);
    expect(ports('gateway')).toEqual([53, 53, 5432, 7233, 4433, 4434]);
    expect(ports('prepare')).toEqual([53, 53, 5432, 7233]);
  });
});

describe('what is off until it is turned on', () => {
  it('the autoscaler takes the number of workers over', async () => {
    const off = await objectsOf(minimal);
    expect(off.kinds('HorizontalPodAutoscaler')).toEqual([]);
    expect((await workloadsOf(minimal)).worker.replicas).toBe(2);
    const on = await objectsOf(production);
    expect(on.named('HorizontalPodAutoscaler', 'acorn-dormouse-worker').spec).toMatchObject({
      scaleTargetRef: { name: 'acorn-dormouse-worker' },
      metrics: [
        {
          external: {
            metric: {
              name: 'dormouse_task_queue_backlog',
              selector: { matchLabels: { queue: 'workflows' } },
            },
          },
        },
      ],
    });
    expect((await workloadsOf(production)).worker).not.toHaveProperty('replicas');
  });

  it('alert rules link to the copy of the runbooks', async () => {
    expect((await objectsOf(minimal)).kinds('PrometheusRule')).toEqual([]);
    const rule = (await objectsOf(production)).named('PrometheusRule', 'acorn-dormouse');
    expect(rule.spec).toMatchObject({
      groups: [
        {
          rules: expect.arrayContaining([
            expect.objectContaining({
              annotations: expect.objectContaining({
                runbook_url: 'https://wiki.acorn.example/dormouse/runbooks#dormouseworkerabsent',
              }),
            }),
          ]),
        },
      ],
    });
  });
});

it('a pod gets more time to end than the process takes', async () => {
  const { worker, gateway } = await workloadsOf(minimal);
  // src/process/shutdown.ts
  const graceSeconds = 30;
  expect(worker.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(graceSeconds);
  expect(gateway.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(graceSeconds + 5);
});
