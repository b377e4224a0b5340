/** Kratos' web hooks, from a real sign-in to the recorded sign of life, without any code of an app. */
import { Configuration, FrontendApi } from '@ory/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { fresh } from '../support/system-outside.js';
import { eventually } from '../support/system-wait.js';

const stack = inject('stack');
const people = new OryPeople(stack);
const frontend = new FrontendApi(new Configuration({ basePath: stack.kratos.publicUrl }));
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await listenGateway({ stack, atStackUrl: true });
});
afterAll(() => gateway.close());

interface Row {
  readonly kind: string;
  readonly source: string;
  readonly last_active_at: Date;
}

async function signsOf(id: string): Promise<Row[]> {
  const found = await gateway.pool.query<Row>(
    'SELECT kind, source, last_active_at FROM identity_activity WHERE identity_id = $1',
    [id],
  );
  return found.rows;
}

const arrives = (id: string, source: string) =>
  eventually(`${source} of ${id}`, async () => (await signsOf(id)).some((row) => row.source === source));

describe('Kratos reports', () => {
  it('a sign-in by password, at the time of the gateway', async () => {
    const person = await people.create('hook');
    const before = Date.now();
    expect(await people.signIn(person)).toBeDefined();
    await arrives(person.id, 'kratos-login');
    const [row, ...others] = await signsOf(person.id);
    expect(others).toEqual([]);
    expect(row?.kind).toBe('human');
    expect(row?.last_active_at.getTime()).toBeGreaterThanOrEqual(before);
    expect(row?.last_active_at.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('no sign-in that failed', async () => {
    const person = await people.create('hook');
    expect(await people.signIn({ ...person, password: 'not-the-password' })).toBeUndefined();
    // Another's sign-in after it has arrived: the failed one would have been there by now.
    const other = await people.create('hook');
    await people.signIn(other);
    await arrives(other.id, 'kratos-login');
    expect(await signsOf(person.id)).toEqual([]);
  });

  it('a registration', async () => {
    const { data: flow } = await frontend.createNativeRegistrationFlow();
    const { data } = await frontend.updateRegistrationFlow({
      flow: flow.id,
      updateRegistrationFlowBody: {
        method: 'password',
        password: fresh('a-long-password'),
        traits: { email: `${fresh('new')}@example.com` },
      },
    });
    await arrives(data.identity.id, 'kratos-registration');
  });

  it('a change of settings', async () => {
    const person = await people.create('hook');
    const signIn = await people.signIn(person);
    const xSessionToken = signIn?.sessionToken ?? '';
    const { data: flow } = await frontend.createNativeSettingsFlow({ xSessionToken });
    await frontend.updateSettingsFlow({
      flow: flow.id,
      xSessionToken,
      updateSettingsFlowBody: { method: 'password', password: fresh('another-long-password') },
    });
    await arrives(person.id, 'kratos-settings');
  });

  it('a recovery', async () => {
    const person = await people.create('hook');
    const { data: code } = await people.identities.createRecoveryCodeForIdentity({
      createRecoveryCodeForIdentityBody: { identity_id: person.id, flow_type: 'api' },
    });
    const flow = new URL(code.recovery_link).searchParams.get('flow') ?? '';
    await frontend.updateRecoveryFlow(
      { flow, updateRecoveryFlowBody: { method: 'code', code: code.recovery_code } },
      { validateStatus: () => true },
    );
    await arrives(person.id, 'kratos-recovery');
  });
});
