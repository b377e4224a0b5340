/** The OpenAPI document: it holds every route, its schemas are sound, and real answers fit them. */
import { randomBytes } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenAPIV3_1 } from 'openapi-types';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { signEvent } from '../../src/signs/http/event-signature.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { unknownId } from '../support/system-outside.js';

const stack = inject('stack');
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
const paths: string[] = [];
let gateway: TestGateway;
const refreshTokens = new RefreshTokens({
  postgresUrl: stack.postgres.runtimeUrl,
  key: randomBytes(32).toString('base64'),
  policy: {},
});
let document: OpenAPIV3_1.Document;

const bearer = () => ({ authorization: `Bearer ${gateway.tokens[0]}` });

beforeAll(async () => {
  const issuer = 'https://dormouse.example.com';
  const streams = { issuer, subjectIssuer: issuer, receivers: [] };
  gateway = await listenGateway({
    stack,
    more: { securityEvents: { streams, keys: [generateSigningKey('ed25519')] }, refreshTokens },
  });
  paths.push(...routesOf(gateway.server.printRoutes({ commonPrefix: false })));
  const answer = await fetch(new URL('/openapi.json', gateway.url), { headers: bearer() });
  expect(answer.status).toBe(200);
  document = (await answer.json()) as OpenAPIV3_1.Document;
});
afterAll(async () => {
  await gateway.close();
  await refreshTokens.close();
});

/** `METHOD /path` of each route that Fastify itself knows. */
function routesOf(tree: string): string[] {
  const routes: string[] = [];
  const parents: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', methods = ''] =
      /^([│├└─\s]*)(\S+)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? [];
    if (part === '') continue;
    const depth = indent.length / 4;
    parents.length = Math.max(0, depth - 1);
    parents.push(part);
    for (const method of methods.split(', ').filter((name) => name !== '' && name !== 'HEAD'))
      routes.push(`${method} ${parents.join('').replace(/:(\w+)/g, '{$1}')}`);
  }
  return routes;
}

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: OpenAPIV3_1.OperationObject;
}

function operations(): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (['get', 'post', 'put', 'delete', 'patch'] as const).flatMap((method) => {
      const operation = item?.[method];
      const name = `${method.toUpperCase()} ${path}`;
      return operation === undefined ? [] : [{ name, method, path, operation }];
    }),
  );
}

/** Every schema of an operation with where it is. */
function schemasOf({ name, operation }: Operation): [string, object][] {
  const found: [string, object][] = [];
  const contents: [string, unknown][] = [[`${name} body`, operation.requestBody]];
  for (const [status, response] of Object.entries(operation.responses ?? {}))
    contents.push([`${name} ${status}`, response]);
  for (const [where, part] of contents) {
    if (typeof part !== 'object' || part === null || !('content' in part)) continue;
    for (const [type, media] of Object.entries(part.content as Record<string, { schema?: object }>))
      if (media.schema !== undefined) found.push([`${where} ${type}`, media.schema]);
  }
  return found;
}

const schemaAt = (name: string, status: number): object => {
  const operation = operations().find((candidate) => candidate.name === name);
  if (operation === undefined) throw new Error(`${name} is not in the document`);
  const found = schemasOf(operation).find(([where]) => where === `${name} ${status} application/json`);
  if (found === undefined) throw new Error(`${name} promises no JSON for ${status}`);
  return found[1];
};

describe('the document', () => {
  it('is OpenAPI 3.1, and only for those with a service token', async () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    expect((await fetch(new URL('/openapi.json', gateway.url))).status).toBe(401);
  });

  it('has every route, and no other', () => {
    expect(paths.length).toBeGreaterThan(10);
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...paths].sort());
  });

  it('has sound schemas only', () => {
    const all = operations().flatMap(schemasOf);
    expect(all.length).toBeGreaterThan(30);
    for (const [where, schema] of all) {
      expect(ajv.validateSchema(schema), where).toBe(true);
      expect(() => ajv.compile(schema), where).not.toThrow();
    }
  });

  it('names a described credential for every route except /healthz and the open ones', () => {
    const known = Object.keys(document.components?.securitySchemes ?? {});
    for (const { name, path, operation } of operations()) {
      const wanted = (operation.security ?? []).flatMap((one) => Object.keys(one));
      const isOpen = ['/account/', '/.well-known/'].some((begin) => path.startsWith(begin));
      if (['/healthz', '/v1/sign-in'].includes(path) || isOpen) expect(wanted).toEqual([]);
      else expect(wanted.length, name).toBeGreaterThan(0);
      for (const scheme of wanted) expect(known, name).toContain(scheme);
    }
  });

  it('describes the parameters in its paths', () => {
    for (const { name, path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const described = (operation.parameters ?? []).flatMap((parameter) =>
        'name' in parameter && parameter.in === 'path' ? [parameter.name] : [],
      );
      expect(described, name).toEqual(inPath);
    }
  });

  it('takes the bodies that it describes, closed to further fields', () => {
    // Bodies in others' formats, which may get new fields.
    const open = ['/v1/hooks/hydra/token', '/v1/mail/events/{provider}'];
    const closed = operations()
      .filter(({ method, path }) => method === 'post' && !open.includes(path))
      .flatMap(schemasOf)
      .filter(([where]) => where.includes('body application/json'));
    expect(closed.length).toBeGreaterThan(7);
    for (const [where, schema] of closed)
      expect(JSON.stringify(schema), where).toContain('"additionalProperties":false');
  });
});

/** Each named property of a schema, however deep. Members of a map carry the map's name. */
function propertiesOf(schema: unknown, name = ''): [string, Record<string, unknown>][] {
  if (Array.isArray(schema)) return schema.flatMap((one) => propertiesOf(one, name));
  if (typeof schema !== 'object' || schema === null) return [];
  const {
    properties = {},
    items,
    anyOf,
    oneOf,
    allOf,
    additionalProperties,
  } = schema as Record<string, object>;
  return [
    [name, schema as Record<string, unknown>],
    ...Object.entries(properties).flatMap(([member, one]) => propertiesOf(one, member)),
    ...[items, anyOf, oneOf, allOf, additionalProperties].flatMap((one) => propertiesOf(one, name)),
  ];
}

describe('times', () => {
  const isTime = (name: string) =>
    /(^|[a-z])(At|Since|Until|Before)$|^(at|since|until|from|to|now|activity|completed|skipped)$/.test(name);
  const leaves = () =>
    operations()
      .flatMap(schemasOf)
      .flatMap(([where, schema]) => propertiesOf(schema).map(([name, one]) => ({ where, name, one })))
      .filter(
        ({ name, one }) =>
          isTime(name) && (one.type === 'string' || `${one.type}` === 'number' || one.type === 'integer'),
      );

  it('are RFC 3339 in every body and answer; the epoch milliseconds of a reported sign are taken as well', () => {
    const found = leaves();
    expect(found.length).toBeGreaterThan(30);
    const others = found.filter(({ one }) => one.format !== 'date-time');
    expect(others.map(({ where, name, one }) => `${where} ${name} ${one.type}`)).toEqual([
      'POST /v1/activity body application/json at integer',
    ]);
  });

  it.each([
    ['2026-02-30T00:00:00Z', 400],
    ['2026-01-31T24:00:00Z', 400],
    ['2026-01-31', 400],
    ['2026-01-31T00:00:00', 400],
    ['2099-01-01T00:00:00+25:00', 400],
    ['2027-01-31T05:30:00+05:30', 202],
    ['2027-01-30T16:00:00.123456-08:00', 202],
  ])('as the end of a hold, %s is answered %i', async (until, status) => {
    const answer = await fetch(new URL(`/v1/identities/${unknownId()}/hold`, gateway.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer() },
      body: JSON.stringify({ actor: 'op-1', reason: 'leave', until }),
    });
    const body = (await answer.json()) as { holds?: { until: string }[] };
    expect(answer.status).toBe(status);
    if (status === 202) expect(body.holds?.[0]?.until).toBe(new Date(until).toISOString());
  });
});

describe('real answers fit', () => {
  const id = unknownId();
  const asked: [string, number, () => Promise<Response>][] = [
    ['GET /healthz', 200, () => get('/healthz')],
    ['POST /v1/activity', 202, () => post('/v1/activity', { identityId: id })],
    ['POST /v1/activity', 202, () => postLines(`${JSON.stringify({ identityId: id })}\n{}\n`)],
    ['POST /v1/activity', 202, () => postSigned(JSON.stringify({ identityId: id }))],
    ['POST /v1/activity', 400, () => post('/v1/activity', {})],
    ['POST /v1/activity', 401, () => post('/v1/activity', {}, { authorization: 'Bearer guess' })],
    ['POST /v1/activity', 413, () => post('/v1/activity', { identityId: 'x'.repeat(20_000) })],
    ['POST /v1/activity', 415, () => post('/v1/activity', {}, { 'content-type': 'text/plain' })],
    ['GET /v1/identities/{id}/standing', 404, () => get(`/v1/identities/${unknownId()}/standing`)],
    ['GET /v1/identities/{id}/standing', 400, () => get('/v1/identities/jane/standing')],
    ['POST /v1/identities/{id}/enrol', 201, () => post(`/v1/identities/${unknownId()}/enrol`, {})],
    ['POST /v1/identities/{id}/enrol', 200, () => post(`/v1/identities/${id}/enrol`, {})],
    ['POST /v1/identities/{id}/hold', 400, () => post(`/v1/identities/${id}/hold`, {})],
    ['GET /v1/worklist', 200, () => get('/v1/worklist?limit=5')],
    ['GET /v1/worklist', 400, () => get('/v1/worklist?limit=0')],
    ['POST /v1/identities/{id}/end-exemption', 400, () => post(`/v1/identities/${id}/end-exemption`, {})],
    ['POST /v1/refresh-tokens', 200, () => post('/v1/refresh-tokens', { identityId: id, clientId: 'web' })],
    ['POST /v1/refresh-tokens', 400, () => post('/v1/refresh-tokens', { identityId: id, clientId: '@' })],
    [
      'POST /v1/refresh-tokens/exchange',
      200,
      () => post('/v1/refresh-tokens/exchange', { refreshToken: 'x' }),
    ],
    ['GET /v1/identities/{id}/refresh-tokens', 200, () => get(`/v1/identities/${id}/refresh-tokens`)],
    [
      'POST /v1/identities/{id}/refresh-tokens/revoke',
      200,
      () => post(`/v1/identities/${id}/refresh-tokens/revoke`, {}),
    ],
    ['POST /v1/hooks/kratos', 202, () => hook('/v1/hooks/kratos', { identity_id: id, flow: 'login' })],
    ['POST /v1/hooks/kratos', 400, () => hook('/v1/hooks/kratos', {})],
    ['POST /v1/hooks/hydra/token', 400, () => hook('/v1/hooks/hydra/token', {})],
  ];

  const request = (path: string, init: RequestInit) => fetch(new URL(path, gateway.url), init);
  const get = (path: string) => request(path, { headers: bearer() });
  const json = { 'content-type': 'application/json' };
  function post(path: string, body: object, more: Record<string, string> = {}) {
    return request(path, {
      method: 'POST',
      headers: { ...json, ...bearer(), ...more },
      body: JSON.stringify(body),
    });
  }
  function hook(path: string, body: object) {
    const caller = path.includes('/hydra/') ? 'hydra' : 'kratos';
    const headers = { ...json, 'x-dormouse-hook-key': gateway.hookKeys[caller][1] };
    return request(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }
  function postLines(body: string) {
    const headers = { ...bearer(), 'content-type': 'application/x-ndjson' };
    return request('/v1/activity', { method: 'POST', headers, body });
  }
  function postSigned(body: string) {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = signEvent(gateway.secrets[1], timestamp, body);
    const headers = { ...json, 'x-dormouse-timestamp': timestamp, 'x-dormouse-signature': signature };
    return request('/v1/activity', { method: 'POST', headers, body });
  }

  it.each(asked)('%s %i', async (name, status, ask) => {
    const answer = await ask();
    const body: unknown = await answer.json();
    expect({ status: answer.status, body }).toMatchObject({ status });
    const fits = ajv.compile(schemaAt(name, status));
    expect(fits(body), JSON.stringify(fits.errors)).toBe(true);
  });
});
