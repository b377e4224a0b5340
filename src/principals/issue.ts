/** Makes secrets of credentials: the only place that ever has one in hand, and it hands it out once. */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { given } from '../domain/given.js';
import { credentialNamePattern, ownerProblem } from '../domain/principals/principal.js';
import { scopesProblem } from '../domain/principals/scopes.js';
import { formatPersonalToken, isPersonalToken, randomBytesOf } from '../domain/tokens/personal-token.js';
import { databaseNow } from '../postgres/database-now.js';
import { insertCredential, readNewestCredential, rotateCredentialRow } from './credentials-table.js';

/** How secrets of credentials begin. Their form is that of personal access tokens, so that secret scanners find them. */
const prefix = 'dmc';

/** The longest overlap of a rotation, milliseconds: 30 days. */
export const longestOverlapMs = 2_592_000_000;

/** Nothing was changed. The message names the field, what is wrong with it, and the way out. */
export class CredentialRefusedError extends Error {
  override readonly name = 'CredentialRefusedError';
}

/** Whether the text has the form of a secret: length, alphabet and checksum. */
export function isCredentialSecret(text: string): boolean {
  return isPersonalToken(prefix, text);
}

/** The form in which a secret is stored and looked up. */
export function credentialHash(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

export interface CredentialRequest {
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  /** CIDR networks; empty: from anywhere. */
  readonly networks: readonly string[];
  /** Epoch milliseconds; absent: without expiry. */
  readonly expiresAt?: number;
  readonly actor: string;
}

/** Whether a credential would be made, as far as that can be told before. @throws CredentialRefusedError */
export async function tryCreation(pool: pg.Pool, request: Omit<CredentialRequest, 'actor'>): Promise<void> {
  checkRequest(request, await databaseNow(pool));
  if ((await readNewestCredential(pool, request.name)) !== undefined) throw taken(request.name);
}

function checkRequest(
  { name, owner, scopes, expiresAt }: Omit<CredentialRequest, 'actor'>,
  now: number,
): void {
  checkName(name);
  refuse('owner', ownerProblem(owner));
  refuse('scopes', scopesProblem(scopes));
  checkExpiry(expiresAt, now);
}

/** @returns the secret, in clear: it is kept nowhere and can't be shown again. @throws CredentialRefusedError */
export async function createCredential(pool: pg.Pool, request: CredentialRequest): Promise<string> {
  const { name } = request;
  const now = await databaseNow(pool);
  checkRequest(request, now);
  const secret = newSecret();
  const scopes = [...new Set(request.scopes)].sort();
  const outcome = await insertCredential(
    pool,
    { ...request, scopes, credentialId: randomUUID(), hash: credentialHash(secret) },
    now,
  );
  if (outcome === 'taken') throw taken(name);
  if (outcome === 'too-many') {
    throw new CredentialRefusedError(
      'there are 1,000 live credentials, as many as there may be. Revoke some',
    );
  }
  return secret;
}

const taken = (name: string) =>
  new CredentialRefusedError(
    `name: "${name}" is, or was, another credential. Rotate that one, or take another name: the audit log names actors by it`,
  );

export interface RotationRequest {
  readonly name: string;
  /** How long the earlier secret stays good, milliseconds. */
  readonly overlapMs: number;
  /** Epoch milliseconds. Absent: the new secret lives as long as the earlier one was to live. */
  readonly expiresAt?: number;
  readonly actor: string;
}

function checkRotation({ name, overlapMs, expiresAt }: Omit<RotationRequest, 'actor'>, now: number): void {
  checkName(name);
  if (!(overlapMs >= 0 && overlapMs <= longestOverlapMs)) {
    throw new CredentialRefusedError('overlap: must be a duration from 0s to 30d');
  }
  checkExpiry(expiresAt, now);
}

/** Whether a credential would be rotated, as far as that can be told before. @throws CredentialRefusedError */
export async function tryRotation(pool: pg.Pool, request: Omit<RotationRequest, 'actor'>): Promise<void> {
  checkRotation(request, await databaseNow(pool));
  await assertLive(pool, request.name);
}

/** @throws CredentialRefusedError where no secret of the credential is good any more */
export async function assertLive(pool: pg.Pool, name: string): Promise<void> {
  const newest = await readNewestCredential(pool, name);
  const isOver = newest?.endsAt !== undefined && newest.endsAt <= (await databaseNow(pool));
  if (newest === undefined || isOver) throw noneLive();
}

const noneLive = () =>
  new CredentialRefusedError(
    'name: no live credential has it. Take one from: dormouse credentials list, or create another one',
  );

/** @returns the new secret, in clear. The earlier one stays good for the overlap. @throws CredentialRefusedError */
export async function rotateCredential(pool: pg.Pool, request: RotationRequest): Promise<string> {
  const { name, overlapMs } = request;
  const now = await databaseNow(pool);
  checkRotation(request, now);
  const earlier = await readNewestCredential(pool, name);
  const lifetime =
    earlier?.endsWhy === 'expired' && earlier.endsAt !== undefined
      ? earlier.endsAt - earlier.createdAt
      : undefined;
  const expiresAt = request.expiresAt ?? (lifetime === undefined ? undefined : now + lifetime);
  const secret = newSecret();
  const isRotated = await rotateCredentialRow(
    pool,
    {
      ...{ name, overlapMs, actor: request.actor, credentialId: randomUUID(), hash: credentialHash(secret) },
      ...given({ expiresAt }),
    },
    now,
  );
  if (isRotated) return secret;
  throw noneLive();
}

function checkName(name: string): void {
  const isName = credentialNamePattern.test(name);
  refuse(
    'name',
    isName ? undefined : 'takes a lower-case letter, then lower-case letters, digits and -, 32 at most',
  );
}

function checkExpiry(expiresAt: number | undefined, now: number): void {
  refuse(
    'expires',
    expiresAt !== undefined && expiresAt <= now ? 'is in the past. Pass a later time' : undefined,
  );
}

function refuse(field: string, problem: string | undefined): void {
  if (problem !== undefined) throw new CredentialRefusedError(`${field}: ${problem}`);
}

function newSecret(): string {
  return formatPersonalToken(prefix, randomBytes(randomBytesOf));
}
