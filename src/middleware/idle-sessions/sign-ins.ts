/** Whose session a request has, as Kratos answered last. */
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { given } from '../../domain/given.js';
import { readWord } from '../../ory/admin-metadata.js';
import { createKratosClient } from '../../ory/clients.js';
import { type KratosIdentity, readIdentity } from '../../ory/kratos-identity.js';
import {
  createSessionList,
  createWhoami,
  type KratosSession,
  type KratosSessionOfMine,
} from '../../ory/whoami.js';
import { type Credential, credentialIn, keyOf, proofOf } from '../credentials.js';
import { UnjudgedError } from '../unjudged.js';
import type { GuardOptions } from './options.js';

type SessionCredential = Extract<Credential, { type: `session-${string}` }>;

/** A session with everything that the guard needs of it. */
export interface SignIn extends KratosSession {
  readonly sessionId: string;
  readonly authenticatedAt: number;
  readonly latestAt: number;
  readonly assurance: 'aal1' | 'aal2' | 'aal3';
}

interface Known {
  readonly signIn: SignIn;
  /** On the monotonic clock, milliseconds. */
  readonly verifiedAt: number;
}

export interface Verified {
  readonly signIn: SignIn;
  /** Kratos was asked just now. */
  readonly isNew: boolean;
}

export class SignIns {
  private readonly answers: LRUCache<string, Known>;
  private readonly asking = new Map<string, Promise<Verified | undefined>>();
  private readonly whoami;
  private readonly listMine;
  private readonly timeoutMs: number;
  private readonly verifyMs: number;
  private readonly admin;
  private readonly cookiePrefix: string;

  constructor(
    { kratos, verifyTimeoutMs = 2_000, verifyMs = 30_000, cacheEntries = 100_000 }: GuardOptions,
    /** Whether the policy names roles, which an admin may have written. */
    private readonly asksForRoles: () => boolean,
  ) {
    this.timeoutMs = verifyTimeoutMs;
    this.cookiePrefix = kratos.cookiePrefix ?? 'ory_kratos_session';
    this.verifyMs = verifyMs;
    this.answers = new LRUCache({ max: cacheEntries });
    this.whoami = createWhoami(kratos.publicUrl, verifyTimeoutMs);
    this.listMine = createSessionList(kratos.publicUrl, verifyTimeoutMs);
    this.admin =
      kratos.adminUrl === undefined
        ? undefined
        : createKratosClient(kratos.adminUrl, {
            ...given({ token: kratos.token }),
            timeoutMs: verifyTimeoutMs,
          });
  }

  /** @returns what Kratos answered a short while ago; `undefined`: it has to be asked */
  known(headers: IncomingHttpHeaders): SignIn | undefined {
    const credential = this.credentialIn(headers);
    return credential && this.fresh(keyOf(credential));
  }

  /** @returns `undefined` where the request has no session that Kratos knows. @throws UnjudgedError where Kratos is away */
  async of(headers: IncomingHttpHeaders): Promise<Verified | undefined> {
    const credential = this.credentialIn(headers);
    if (credential === undefined) return undefined;
    const signIn = this.fresh(keyOf(credential));
    return signIn === undefined ? this.anew(headers) : { signIn, isNew: false };
  }

  /** Asks Kratos, whatever is known. @returns `undefined` where it knows no such session. @throws UnjudgedError where it is away */
  async anew(headers: IncomingHttpHeaders): Promise<Verified | undefined> {
    const credential = this.credentialIn(headers);
    if (credential === undefined) return undefined;
    const key = keyOf(credential);
    const earlier = this.asking.get(key);
    if (earlier !== undefined) return earlier;
    const asked = this.ask(key, credential).finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    return asked;
  }

  /** For a sign-out, what Kratos answered last will do: it must not fail because Kratos is away. @throws UnjudgedError */
  async forSignOut(headers: IncomingHttpHeaders): Promise<Verified | undefined> {
    const credential = this.credentialIn(headers);
    const known = credential && this.answers.get(keyOf(credential));
    return known === undefined ? this.of(headers) : { signIn: known.signIn, isNew: false };
  }

  /** All active sessions of the person, as Kratos has them. @throws UnjudgedError where Kratos is away */
  async listOf(headers: IncomingHttpHeaders): Promise<KratosSessionOfMine[]> {
    const credential = this.credentialIn(headers);
    if (credential === undefined) return [];
    try {
      return await this.listMine(proofOf(credential), AbortSignal.timeout(this.timeoutMs));
    } catch (cause) {
      throw new UnjudgedError('Kratos', { cause });
    }
  }

  /** The next request with the credential asks Kratos. */
  forget(headers: IncomingHttpHeaders): void {
    const credential = this.credentialIn(headers);
    if (credential !== undefined) this.answers.delete(keyOf(credential));
  }

  private fresh(key: string): SignIn | undefined {
    const known = this.answers.get(key);
    return known !== undefined && performance.now() - known.verifiedAt < this.verifyMs
      ? known.signIn
      : undefined;
  }

  private credentialIn(headers: IncomingHttpHeaders): SessionCredential | undefined {
    const credential = credentialIn(headers, { bearer: false, cookiePrefix: this.cookiePrefix });
    return credential?.type === 'bearer' ? undefined : credential;
  }

  private async ask(key: string, credential: SessionCredential): Promise<Verified | undefined> {
    const verifiedAt = performance.now();
    try {
      // The client's own timeout does not cover the whole connection setup.
      const session = await this.whoami(proofOf(credential), AbortSignal.timeout(this.timeoutMs));
      const signIn = session && complete(session);
      if (signIn === undefined) {
        this.answers.delete(key);
        return undefined;
      }
      const withRoles = {
        ...signIn,
        roles: [...signIn.roles, ...(await this.adminRoles(signIn.identityId))],
      };
      this.answers.set(key, { signIn: withRoles, verifiedAt });
      return { signIn: withRoles, isNew: true };
    } catch (cause) {
      throw new UnjudgedError('Kratos', { cause });
    }
  }

  /** Kratos' public API does not show what an admin wrote. */
  private async adminRoles(identityId: string): Promise<string[]> {
    if (this.admin === undefined || !this.asksForRoles()) return [];
    const identity: KratosIdentity | undefined = await readIdentity(this.admin, identityId);
    const role = readWord(identity?.metadata_admin, 'role').value;
    return role === undefined ? [] : [role];
  }
}

/** A session of which Kratos does not say what the guard judges by counts as none. */
function complete(session: KratosSession): SignIn | undefined {
  const { sessionId, authenticatedAt, latestAt, assurance = 'aal1' } = session;
  if (sessionId === undefined || authenticatedAt === undefined) return undefined;
  return { ...session, sessionId, authenticatedAt, latestAt: latestAt ?? authenticatedAt, assurance };
}
