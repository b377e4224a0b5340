/**
 * Each text that a route takes by JSON, with characters that PostgreSQL refuses or that hide what is written: never an error of ours, and
 * never stored where people read it. The routes and fields come from the OpenAPI document, so that none is left out.
 */
import { randomBytes } from 'node:crypto';
import type { OpenAPIV3_1 } from 'openapi-types';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { scopeRules } from '../../src/domain/principals/scopes.js';
import { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { unknownId } from '../support/system-outside.js';

const hostile: readonly [what: string, text: string][] = [
  ['a NUL', 'a\u0000b'],
  ['half of a surrogate pair', 'a\ud800'],
  ['a direction override', 'a\u202eb'],
  ['a private-use character', 'a\ue000'],
  ['a line feed', 'a\nb'],
  ['ten thousand characters', 'x'.repeat(10_000)],
];
const stack = inject('stack');
let desk: Desk;
let everything: Operator;
let refreshTokens: RefreshTokens;
beforeAll(async () => {
  const { runtimeUrl: postgresUrl } = stack.postgres;
  refreshTokens = new RefreshTokens({ postgresUrl, key: randomBytes(32).toString('base64'), policy: {} });
  desk = await openDesk({ more: { refreshTokens } });
  everything = await desk.operator('somebody', Object.keys(scopeRules));
});
afterAll(async () => {
  await desk.close();
  await refreshTokens.close();
});

type Schema = OpenAPIV3_1.SchemaObject;

interface TextField {
  readonly path: string;
  readonly field: string;
  /** All fields of the body. */
  readonly fields: Readonly<Record<string, Schema>>;
}

/** Every free text in the JSON body of a route for services and operators. */
async function textFields(): Promise<TextField[]> {
  const answer = await fetch(new URL('/openapi.json', desk.gateway.url), { headers: bearer() });
  const { paths = {} } = (await answer.json()) as OpenAPIV3_1.Document;
  return Object.entries(paths).flatMap(([path, item]) => {
    const { security = [], requestBody } = item?.post ?? {};
    if (
      !security.some((one) => 'serviceToken' in one) ||
      requestBody === undefined ||
      !('content' in requestBody)
    )
      return [];
    const fields = fieldsOf(requestBody.content['application/json']?.schema as Schema | undefined);
    return Object.entries(fields).flatMap(([field, schema]) =>
      schema.type === 'string' && schema.enum === undefined && schema.format !== 'date-time'
        ? [{ path, field, fields }]
        : [],
    );
  });
}

function fieldsOf(schema: Schema | undefined): Record<string, Schema> {
  const parts = [schema, ...(schema?.anyOf ?? []), ...(schema?.oneOf ?? [])] as (Schema | undefined)[];
  return Object.assign({}, ...parts.map((part) => part?.properties ?? {}));
}

const inAWeek = () => new Date(Date.now() + 7 * 86_400_000).toISOString();
const bearer = () => ({ authorization: `Bearer ${everything.secret}` });

function valid(field: string, schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.format === 'date-time') return inAWeek();
  if (schema.type === 'integer' || schema.type === 'number') return 1;
  if (field === 'identityId') return unknownId();
  return schema.type === 'string' ? 'a-word' : undefined;
}

/** Asks with everything else as it should be. */
async function ask({ path, field, fields }: TextField, text: string) {
  const others = Object.entries(fields).map(([name, schema]) => [name, valid(name, schema)]);
  const id = path.includes('breaker') ? '1' : path.includes('policies') ? 'no-such' : unknownId();
  const answer = await fetch(new URL(path.replaceAll(/\{\w+\}/g, id), desk.gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer() },
    body: JSON.stringify({ ...Object.fromEntries(others), [field]: text }),
  });
  return { status: answer.status, said: await answer.text() };
}

/** Fields whose text is never taken. */
const refused = /^(reason|owner|deviceName|clientId|policyId|holdId|source|identityId)$/;
/** Read by the lifecycle, which an unknown identity has not: test/workflows/messages.test.ts. */
const byTheLifecycle = /(reactivate|skip-parked|retry-parked|apply-policy|enrol)$/;

describe.each(hostile)('%s', (_what, text) => {
  it('in any text of any route is no error of the gateway, and is not repeated', async () => {
    const fields = await textFields();
    expect(fields.length).toBeGreaterThan(15);
    const wrong = [];
    for (const field of fields) {
      const { status, said } = await ask(field, text);
      const isAnswer = status < 500 && ![401, 403, 429].includes(status);
      const mayPass = !refused.test(field.field) || byTheLifecycle.test(field.path);
      if (!isAnswer || said.includes(text) || (status < 300 && !mayPass)) {
        wrong.push(`${field.path} ${field.field}: ${status} ${said.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
