/** The desk on a gateway of a test's own, with the stack's Hydra as issuer, and people who use it by HTTP as a browser would. */
import { Client, Connection } from '@temporalio/client';
import { type Logger, pino } from 'pino';
import { inject } from 'vitest';
import { operatorsFileFor, registerDesk } from '../../dev/stack/operator-sign-in.js';
import type { EngineDormouse } from '../../src/client/engine.js';
import type { DeskOptions } from '../../src/desk/context.js';
import { signedInPath } from '../../src/desk/sign-in-pages.js';
import type { Side } from '../../src/domain/principals/scopes.js';
import { createKratosClient } from '../../src/ory/clients.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { SignIn, type SignInOptions } from '../../src/principals/sign-in.js';
import { closedPort } from './fault-tcp.js';
import { listenGateway, type TestGateway } from './gateway.js';
import { type FreshDatabase, openFreshDatabase } from './system-database.js';
import { fresh } from './system-outside.js';

export interface TestDesk {
  readonly url: string;
  readonly gateway: TestGateway;
  readonly database: FreshDatabase;
  /** The lines of its log. */
  readonly log: readonly Record<string, unknown>[];
  /** A browser of its own. @param who one of the stack's developers; without, nobody is signed in */
  user(who?: string): Promise<DeskUser>;
  close(): Promise<void>;
}

export interface TestDeskOptions {
  readonly desk?: Partial<DeskOptions>;
  readonly signIn?: Partial<SignInOptions>;
  readonly side?: Side;
  readonly wrap?: (dormouse: EngineDormouse) => EngineDormouse;
}

/** Has a database of its own, so that what it shows is what the test wrote. */
export async function openDesk({ desk, signIn, wrap, side }: TestDeskOptions = {}): Promise<TestDesk> {
  const stack = inject('stack');
  const database = await openFreshDatabase();
  const port = await closedPort();
  const url = `http://127.0.0.1:${port}`;
  const client = fresh('dormouse-desk');
  await registerDesk(stack.hydra.adminUrl, url, client);
  const issuers = parseOperatorsFile(await operatorsFileFor(stack.hydra.publicUrl, client), 'operators.yaml');
  const tokens = new OperatorTokens(issuers, () => undefined);
  const { log, lines } = notingLog();
  const connection = Connection.lazy({ address: stack.temporal.address });
  const temporal = new Client({ connection, namespace: stack.temporal.namespace });
  const gateway = await listenGateway({
    stack: { ...stack, postgres: { url: database.url, runtimeUrl: database.url } },
    ...{ port, log, ...(wrap && { wrap }) },
    more: {
      ...(side && { side }),
      operators: tokens,
      desk: {
        ...{ pool: database.pool, url, productName: 'Acorn' },
        signIn: new SignIn({
          ...{ issuers, tokens, secrets: new Map(), redirectUri: `${url}${signedInPath}` },
          onError: (error) => log.warn({ err: error }, 'an operator could not be signed in'),
          ...signIn,
        }),
        identities: createKratosClient(stack.kratos.adminUrl, {}),
        temporalUi: { url: 'http://temporal.test', namespace: 'default' },
        rollouts: { client: temporal, taskQueue: fresh('rollouts') },
        ...desk,
      },
    },
  });
  return {
    ...{ url, gateway, database, log: lines },
    user: async (who) => {
      const user = new DeskUser(url);
      if (who !== undefined) await user.signIn(who);
      return user;
    },
    close: async () => {
      await gateway.close();
      await connection.close();
      await database.close();
      await fetch(new URL(`/admin/clients/${client}`, stack.hydra.adminUrl), { method: 'DELETE' });
    },
  };
}

function notingLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

export interface Page {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  /** Where the last redirect led. */
  readonly path: string;
}

/** Keeps cookies and follows redirects, one at a time. */
export class DeskUser {
  private readonly cookies = new Map<string, string>();
  /** What the last page's forms carry. */
  token = '';

  constructor(private readonly base: string) {}

  /** The session's cookie, or another one. */
  cookie(name = 'dormouse-desk'): string {
    return this.cookies.get(name) ?? '';
  }

  setCookie(name: string, value: string): void {
    this.cookies.set(name, value);
  }

  /** One request, and no redirect is followed. */
  async send(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = new Headers(init.headers);
    headers.set('cookie', cookie);
    const answer = await fetch(new URL(url, this.base), { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1);
      const name = pair.slice(0, pair.indexOf('='));
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(name.length + 1));
    }
    return answer;
  }

  /** Opens a page, and follows redirects. @param until stops before this address */
  async open(path: string, until?: (url: URL) => boolean): Promise<Page> {
    let url = new URL(path, this.base);
    for (let steps = 0; steps < 12; steps += 1) {
      const answer = await this.send(url.href);
      const location = answer.headers.get('location');
      if (location === null) return this.pageOf(answer, url);
      url = new URL(location, url);
      if (until?.(url) === true)
        return { status: answer.status, html: '', headers: answer.headers, path: url.href };
    }
    throw new Error('redirected too often');
  }

  /** Goes to the desk, and is this person at the development sign-in. @returns the first page @param until stops before this address */
  async signIn(who: string, path = '/desk', until?: (url: URL) => boolean): Promise<Page> {
    const asked = await this.open(path);
    const challenge = /name="challenge" value="([^"]+)"/.exec(asked.html)?.[1];
    if (challenge === undefined)
      throw new Error(`no sign-in page: ${asked.status} ${asked.html.slice(0, 300)}`);
    const answer = await this.send(asked.path, {
      method: 'POST',
      body: new URLSearchParams({ challenge, who }),
    });
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`the sign-in page answered ${answer.status}`);
    return this.open(location, until);
  }

  /** Sends a form from a page of the desk. @param more in place of what a browser would send */
  async post(
    path: string,
    fields: Readonly<Record<string, string>> = {},
    more: { readonly origin?: string | null; readonly token?: string } = {},
  ): Promise<Page> {
    const { origin = this.base, token = this.token } = more;
    const answer = await this.send(path, {
      method: 'POST',
      body: new URLSearchParams({ token, ...fields }),
      headers: origin === null ? {} : { origin },
    });
    const location = answer.headers.get('location');
    if (location === null) return this.pageOf(answer, new URL(path, this.base));
    return this.open(new URL(location, this.base).href);
  }

  private async pageOf(answer: Response, url: URL): Promise<Page> {
    const html = await answer.text();
    this.token = /name="token" value="([^"]+)"/.exec(html)?.[1] ?? this.token;
    return { status: answer.status, html, headers: answer.headers, path: url.href.replace(this.base, '') };
  }
}
