/** Identities that the real Kratos answers in a form that can't be read: each is one failure, and holds up no others. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { createKratosClient } from '../../src/ory/clients.js';
import { readIdentities, readIdentity } from '../../src/ory/kratos-identity.js';
import { readDirectoryPage, readPresent } from '../../src/reconciliation/directory.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { bloat, spoil } from '../support/spoiled.js';

const people = new OryPeople(inject('stack'));
let kratos: pg.Pool;
let proxy: FaultProxy;
let identities: ReturnType<typeof createKratosClient>;
const created: string[] = [];
beforeAll(async () => {
  kratos = openKratosDatabase(inject('stack'));
  proxy = await startFaultProxy(inject('stack').kratos.adminUrl);
  identities = createKratosClient(proxy.url, {});
});
afterEach(() => proxy.heal());
afterAll(async () => {
  // Others list the whole directory.
  await kratos.query('DELETE FROM identities WHERE id = ANY($1)', [created]);
  await proxy.close();
  await kratos.end();
});

async function create(): Promise<string> {
  const { id } = await people.create('record');
  created.push(id);
  return id;
}

describe('a list by ids', () => {
  it('tells those that are there, those that can not be read, and those that are not there', async () => {
    const [plain, spoiled, bloated] = [await create(), await create(), await create()];
    await spoil(kratos, spoiled);
    await bloat(kratos, bloated);
    const { found, unreadable } = await readIdentities(identities, [plain, spoiled, bloated, randomUUID()]);
    expect([...found.keys()]).toEqual([plain]);
    expect([...unreadable].sort()).toEqual([spoiled, bloated].sort());
    expect(await readPresent(identities, [plain, spoiled, bloated, randomUUID()])).toEqual(
      new Set([plain, spoiled, bloated]),
    );
  });

  it('with a record that names nobody: those who are not found are not called missing', async () => {
    const [plain, other] = [await create(), await create()];
    const { data } = await people.identities.getIdentity({ id: plain });
    const strangers = [{ ...data, id: randomUUID() }, { state: 'active' }, 7, null, { id: 'a\u0000' }];
    proxy.inject({ kind: 'answer', status: 200, body: JSON.stringify([data, ...strangers]) });
    const { found, unreadable } = await readIdentities(identities, [plain, other]);
    expect([...found.keys()]).toEqual([plain]);
    expect([...unreadable]).toEqual([other]);
  });

  it('with an identity of somebody else only: nobody is found, and nobody is unreadable', async () => {
    const [asked, other] = [await create(), await create()];
    const { data } = await people.identities.getIdentity({ id: other });
    proxy.inject({ kind: 'answer', status: 200, body: JSON.stringify([data]) });
    const { found, unreadable } = await readIdentities(identities, [asked]);
    expect([found.size, unreadable.size]).toEqual([0, 0]);
  });

  it.each([
    '<html>',
    '{"error":{}}',
    '"text"',
    '',
  ])('that is no list (%s): fails, and says nothing of anybody', async (body) => {
    proxy.inject({ kind: 'answer', status: 200, body });
    await expect(readIdentities(identities, [randomUUID()])).rejects.toMatchObject({
      type: 'KratosMalformedAnswer',
      concernsOne: false,
    });
  });
});

describe('one identity', () => {
  it('that can not be read or is too large: the error is that of this record', async () => {
    const [spoiled, bloated] = [await create(), await create()];
    await spoil(kratos, spoiled);
    await bloat(kratos, bloated);
    await expect(readIdentity(identities, spoiled)).rejects.toMatchObject({
      ...{ type: 'KratosMalformedAnswer', concernsOne: true, nonRetryable: false },
    });
    await expect(readIdentity(identities, bloated)).rejects.toMatchObject({
      ...{ type: 'KratosAnswerTooLarge', concernsOne: true, nonRetryable: false },
    });
  });

  it('that a gateway answers, or that is somebody else: the error is not that of a record', async () => {
    const id = await create();
    const { data } = await people.identities.getIdentity({ id });
    for (const body of ['<html>', JSON.stringify(data)]) {
      proxy.inject({ kind: 'answer', status: 200, body }, /./, 1);
      await expect(readIdentity(identities, randomUUID())).rejects.toMatchObject({
        ...{ type: 'KratosMalformedAnswer', concernsOne: false },
      });
    }
  });
});

describe('the directory', () => {
  it('an identity that is too large by itself is one malformed record, and the others are listed', async () => {
    const everybody: string[] = [];
    for (let nth = 0; nth < 5; nth += 1) everybody.push(await create());
    const bloated = everybody[2] ?? '';
    await bloat(kratos, bloated);
    const listed: string[] = [];
    let malformed = 0;
    let token: string | undefined;
    do {
      const page = await readDirectoryPage(identities, 250, token);
      listed.push(...page.identityIds);
      malformed += page.malformed;
      token = page.nextToken;
    } while (token !== undefined);
    expect(everybody.filter((id) => !listed.includes(id))).toEqual([bloated]);
    expect(malformed).toBe(await bloatedCount());
    expect(new Set(listed).size).toBe(listed.length);
  });
});

async function bloatedCount(): Promise<number> {
  const { rows } = await kratos.query<{ count: string }>(
    'SELECT count(*) FROM identities WHERE octet_length(metadata_admin::text) > 4000000',
  );
  return Number(rows[0]?.count);
}
