/** Looking somebody up at the desk by what they sign in with. */
import type { IdentityApi } from '@ory/client';
import { expect, it } from 'vitest';
import { DormouseUnavailableError, InvalidRequestError } from '../../src/client.js';
import type { DeskContext } from '../../src/desk/context.js';
import { findOneByAddress } from '../../src/desk/find-by-address.js';

const address = 'bob@example.com';
const [one, other] = ['5ad0b1c9-8a4f-4c5e-9d6b-0c5f4d6c2a11', '5ad0b1c9-8a4f-4c5e-9d6b-0c5f4d6c2a12'];

const find = (answer: () => Promise<{ data: unknown }>) =>
  findOneByAddress(
    { identities: { listIdentities: answer } as unknown as IdentityApi } as DeskContext,
    address,
  );
const answered = (data: unknown) => find(async () => ({ data }));

it('finds the one whom Kratos names, also twice', async () => {
  expect(await answered([{ id: one }, { id: one }])).toBe(one);
});

it.each([
  ['nobody', []],
  ['several', [{ id: one }, { id: other }]],
])('says that %s has it, without the address', async (_who, data) => {
  const error = await answered(data).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(String(error)).not.toContain('bob');
});

it.each([
  ['a failure that names the address', () => Promise.reject(new Error(`no ${address}`))],
  ['an answer that is no list', async () => ({ data: { id: one } })],
  ['an answer with something else for an id', async () => ({ data: [{ id: '../admin' }] })],
])('takes %s for no answer, and not for nobody', async (_what, answer) => {
  const error = await find(answer).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DormouseUnavailableError);
  expect(JSON.stringify([String(error), (error as Error).cause ?? null])).not.toContain('bob');
});
