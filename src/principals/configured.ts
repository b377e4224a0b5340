/**
 * The keys in the gateway's configuration, as principals. They are there before the first credential is created, and have the scopes that
 * they always had.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../domain/principals/principal.js';
import { covers, type RouteScope } from '../domain/principals/scopes.js';

/** How a caller shows a secret: as a bearer token, or as an API key. */
export type Carrier = 'bearer' | 'key';

export interface Presented {
  readonly carrier: Carrier;
  readonly secret: string;
}

export interface ConfiguredKeys {
  readonly service: readonly string[];
  readonly kratos?: readonly string[] | undefined;
  readonly hydra?: readonly string[] | undefined;
  readonly mail?: readonly string[] | undefined;
}

interface Entry {
  readonly principal: Principal;
  readonly carrier: Carrier;
  readonly digest: Buffer;
  /** A name of the key for rate limits. */
  readonly caller: string;
}

const serviceScopes: readonly RouteScope[] = [
  'signs:write',
  'standing:read',
  'identities:enrol',
  'identities:operate',
  'holds:place',
  'exemptions:decide',
  'worklist:read',
  'api:read',
  'tokens:serve',
  'mail:report',
];

/** Who signs events by a secret of DORMOUSE_EVENT_SECRETS. */
export const signedEventsActor = 'config:event-secrets';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * @returns finds the principal of a key that is configured for this scope. Each has one purpose: for any other scope, and shown in any other
 * way, it counts as unknown
 */
export function configuredPrincipals({ service, kratos, hydra, mail }: ConfiguredKeys) {
  const entries = [
    ...entriesOf('service', serviceScopes, 'bearer', service),
    ...entriesOf('kratos-hook', ['hooks:kratos'], 'key', kratos),
    ...entriesOf('hydra-hook', ['hooks:hydra'], 'key', hydra),
    ...entriesOf('mail-hook', ['mail:report'], 'key', mail),
  ];
  return (
    { carrier, secret }: Presented,
    scope: RouteScope,
  ): { readonly principal: Principal; readonly caller: string } | undefined => {
    const presented = digestOf(secret);
    // Every key is compared, so that the duration does not show which one fits.
    const found = entries.reduce<Entry | undefined>(
      (fitting, entry) => (timingSafeEqual(entry.digest, presented) ? entry : fitting),
      undefined,
    );
    // guard: principals: a configured key has one purpose
    return found?.carrier === carrier && covers(found.principal.scopes, scope) ? found : undefined;
  };
}

function entriesOf(
  name: string,
  scopes: readonly RouteScope[],
  carrier: Carrier,
  keys: readonly string[] = [],
): Entry[] {
  const actor = `config:${name}`;
  // Two keys, while one is rotated out, are one principal: they can't be two operators.
  const principal: Principal = { actor, owner: actor, scopes };
  return keys.map((key) => {
    const digest = digestOf(key);
    return { principal, carrier, digest, caller: `${actor}/${digest.toString('base64url')}` };
  });
}
