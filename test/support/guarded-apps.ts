/** Apps behind the session guard: real Kratos, a database of their own, the role of an app, and one clock that a test moves. */
import { once } from 'node:events';
import express from 'express';
import Fastify from 'fastify';
import type pg from 'pg';
import { inject } from 'vitest';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { idleSessions as expressSessions } from '../../src/middleware/idle-sessions/express.js';
import {
  idleSessions as fastifySessions,
  type SessionGuard,
} from '../../src/middleware/idle-sessions/fastify.js';
import type { IdleSessionOptions } from '../../src/middleware/idle-sessions/options.js';
import { portOf } from '../middleware/support.js';
import { openAppDatabase } from './app-database.js';

export const minute = 60_000;
export const hour = 60 * minute;

export type AppOptions = Partial<IdleSessionOptions<unknown>> & {
  /** Linked logins are not this guard's to end. */
  readonly withoutHydra?: true;
};

/** What the routes answer; which fields there are, the status says. */
export interface Body {
  readonly now: string;
  readonly idleEndsAt: string;
  readonly absoluteEndsAt: string;
  readonly idleMs: number;
  readonly rule: string;
  readonly reason: string;
  readonly error: string;
  readonly field: string;
  readonly sessions: readonly { readonly id: string; readonly current: boolean }[];
}

export async function bodyOf(answer: Response): Promise<Body> {
  return (await answer.json()) as Body;
}

export interface GuardedApp {
  readonly url: string;
  readonly guard: SessionGuard;
  /** Lines of the security log. */
  readonly log: Record<string, unknown>[];
  get(path: string, headers: Record<string, string>): Promise<Response>;
  /** As the app's own page would. */
  send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

export class GuardedApps {
  readonly people = new OryPeople(inject('stack'));
  /** How far the apps' clock is ahead, milliseconds. */
  aheadMs = 0;
  private readonly open: GuardedApp[] = [];

  private constructor(
    readonly pool: pg.Pool,
    /** As the role of an app. */
    readonly appUrl: string,
    private readonly closeDatabase: () => Promise<void>,
  ) {}

  static async begin(): Promise<GuardedApps> {
    const { pool, appUrl, close } = await openAppDatabase();
    return new GuardedApps(pool, appUrl, close);
  }

  now = (): number => Date.now() + this.aheadMs;

  /** Signs a new person in. @returns headers with their session */
  async signIn(traits: Record<string, string> = {}) {
    const person = await this.people.create('idle', { traits });
    const signIn = await this.people.signIn(person);
    if (signIn === undefined) throw new Error('Kratos refused the sign-in');
    return { person, signIn, identityId: person.id, headers: { 'x-session-token': signIn.sessionToken } };
  }

  async fastify(options: AppOptions = {}): Promise<GuardedApp> {
    const app = Fastify();
    const { full, log } = this.optionsOf(options);
    await app.register(fastifySessions, full);
    app.get('/public', { config: { dormouse: { public: true } } }, (request) => ({
      who: request.dormouse?.identityId ?? null,
    }));
    app.get('/open', { config: { dormouse: { whenUnavailable: 'open' } } }, () => ({ served: true }));
    app.get('/*', (request) => ({
      who: request.dormouse?.identityId ?? null,
      verdict: request.dormouse?.verdict,
    }));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return this.keep(url, app.idleSessions, log, () => app.close());
  }

  async express(options: AppOptions = {}): Promise<GuardedApp> {
    const app = express();
    const { full, log } = this.optionsOf(options);
    const sessions = expressSessions(full);
    app.use(sessions);
    app.get('/*path', (request, response) => {
      const { dormouse } = request as { dormouse?: { identityId: string; verdict: unknown } };
      response.json({ who: dormouse?.identityId ?? null, verdict: dormouse?.verdict });
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await sessions.guard.ready();
    return this.keep(`http://127.0.0.1:${portOf(server)}`, sessions.guard, log, async () => {
      await sessions.guard.close();
      await new Promise((resolve) => server.close(resolve).closeAllConnections());
    });
  }

  /** The row of a session. */
  async row(sessionId: string): Promise<Record<string, unknown> | undefined> {
    const { rows } = await this.pool.query('SELECT * FROM idle_session WHERE session_id = $1', [sessionId]);
    return rows[0];
  }

  async closeApps(): Promise<void> {
    for (const app of this.open.splice(0)) await app.close();
    this.aheadMs = 0;
  }

  async close(): Promise<void> {
    await this.closeApps();
    await this.closeDatabase();
  }

  private optionsOf({ withoutHydra, ...options }: AppOptions) {
    const { kratos, hydra } = inject('stack');
    const log: Record<string, unknown>[] = [];
    const full: IdleSessionOptions<unknown> = {
      postgresUrl: this.appUrl,
      kratos: { publicUrl: kratos.publicUrl, adminUrl: kratos.adminUrl },
      ...(withoutHydra !== true && { hydra: { adminUrl: hydra.adminUrl } }),
      policy: { idle: '30m', absolute: '12h', renewal: 'requests' },
      // A busy machine is no outage.
      verifyTimeoutMs: 20_000,
      staleMs: 20_000,
      clock: this.now,
      log: (fields) => log.push({ ...fields }),
      ...options,
    };
    return { full, log };
  }

  private keep(
    url: string,
    guard: SessionGuard,
    log: Record<string, unknown>[],
    close: () => Promise<unknown>,
  ): GuardedApp {
    let isOpen = true;
    const app: GuardedApp = {
      url,
      guard,
      log,
      get: (path, headers) => fetch(`${url}${path}`, { headers, redirect: 'manual' }),
      send: (method, path, headers, body) =>
        fetch(`${url}${path}`, {
          method,
          headers: { ...headers, 'content-type': 'application/json', 'x-dormouse-request': '1', origin: url },
          redirect: 'manual',
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      async close() {
        if (!isOpen) return;
        isOpen = false;
        await close();
      },
    };
    this.open.push(app);
    return app;
  }
}
