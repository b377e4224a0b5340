/** The routes of the plugin (docs/idle-sessions.md). Knows no server framework. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { given } from '../../domain/given.js';
import { type Answer, empty, invalid, iso, json } from '../answers.js';
import { isOwnRequest } from '../request-origin.js';
import { UnjudgedError } from '../unjudged.js';
import { refusalOf, stateOf } from './answers.js';
import type { Live, Question } from './decision.js';
import type { SessionGuard } from './guard.js';

export interface RouteRequest {
  readonly method: string;
  /** Below the prefix, without slashes around it: `status`. */
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; `undefined` where there is none. */
  readonly body: unknown;
}

type Handler = (request: RouteRequest) => Promise<Answer>;

const path = z.string().max(2_048).regex(/^\//, 'starts with "/"');
const agoMs = z.int().min(0).max(86_400_000);

const renewBody = z.object({ path: path.default('/'), idleForMs: agoMs.default(0) });
const leaseBody = z.object({ path: path.default('/') });
const choiceBody = z.object({ idleMs: z.int().min(0).max(Number.MAX_SAFE_INTEGER) });
const endBody = z.union([z.object({ id: z.uuid() }), z.object({ others: z.literal(true) })]);

/** Largest body that any route takes, bytes. */
export const largestBody = 4_096;

export class SessionRoutes {
  private readonly table: Readonly<Record<string, Readonly<Record<string, Handler>>>>;

  constructor(
    private readonly guard: SessionGuard,
    private readonly origins: readonly string[] | undefined,
  ) {
    this.table = {
      status: { GET: (request) => this.status(request) },
      renew: { POST: (request) => this.renew(request) },
      'sign-out': { POST: (request) => this.signOut(request) },
      lease: { POST: (request) => this.beat(request), DELETE: (request) => this.release(request) },
      choice: { GET: (request) => this.choice(request), PUT: (request) => this.choose(request) },
      list: { GET: (request) => this.list(request) },
      end: { POST: (request) => this.end(request) },
    };
  }

  /** @returns `undefined` where there is no such route */
  async handle(request: RouteRequest): Promise<Answer | undefined> {
    const methods = Object.hasOwn(this.table, request.route) ? this.table[request.route] : undefined;
    if (methods === undefined) return undefined;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler === undefined) {
      return json(405, { error: 'method_not_allowed' }, { allow: Object.keys(methods).join(', ') });
    }
    if (method !== 'GET' && !isOwnRequest(request.headers, this.origins)) {
      return json(403, {
        error: 'cross_origin',
        message: 'send x-dormouse-request: 1 from a page of the app itself',
      });
    }
    try {
      return await handler(request);
    } catch (error) {
      if (!(error instanceof UnjudgedError)) throw error;
      return refusalOf({ kind: 'unavailable', system: error.system, opens: false }, this.guard.clock());
    }
  }

  private async status({ headers, query }: RouteRequest): Promise<Answer> {
    const asked = path.safeParse(query.get('path') ?? '/');
    if (!asked.success) return invalid('path', 'is not a path from the root of at most 2,048 characters');
    return this.answer({ headers, path: asked.data }, (live) => this.state(live));
  }

  private async renew({ headers, body }: RouteRequest): Promise<Answer> {
    const parsed = renewBody.safeParse(body ?? {});
    if (!parsed.success) return invalidOf(parsed.error);
    const { idleForMs, path: where } = parsed.data;
    const question: Question = { headers, path: where, presence: { kind: 'person', agoMs: idleForMs } };
    return this.answer(question, (live) => this.state(live));
  }

  private async signOut({ headers }: RouteRequest): Promise<Answer> {
    await this.guard.signOut(headers);
    return empty;
  }

  private async beat({ headers, body }: RouteRequest): Promise<Answer> {
    const parsed = leaseBody.safeParse(body ?? {});
    if (!parsed.success) return invalidOf(parsed.error);
    return this.answer({ headers, path: parsed.data.path, presence: { kind: 'lease' } }, (live) =>
      this.state(live),
    );
  }

  private async release({ headers }: RouteRequest): Promise<Answer> {
    const decision = await this.guard.decide({ headers, path: '/', presence: { kind: 'lease' } });
    const isOver =
      decision.kind === 'live' || decision.kind === 'lease-exhausted' || decision.kind === 'step-up';
    return isOver ? empty : refusalOf(decision, this.guard.clock());
  }

  private choice({ headers }: RouteRequest): Promise<Answer> {
    return this.answer({ headers, path: '/' }, (live) => this.choices(live));
  }

  private choose({ headers, body }: RouteRequest): Promise<Answer> {
    return this.answer({ headers, path: '/' }, async (live) => {
      const parsed = choiceBody.safeParse(body);
      if (!parsed.success) return invalidOf(parsed.error);
      const { idleMs } = parsed.data;
      if (!(await this.guard.own.choose(live, idleMs))) {
        const { offered } = this.guard.own.choices(live);
        return invalid(
          'idleMs',
          `is not offered. Choose one of: ${offered.join(', ') || 'nothing is offered'}`,
        );
      }
      return this.choice({
        headers,
        body: undefined,
        method: 'GET',
        route: 'choice',
        query: new URLSearchParams(),
      });
    });
  }

  private choices(live: Live): Answer {
    const { offered, chosen } = this.guard.own.choices(live);
    return json(200, { offeredMs: offered, chosenMs: chosen ?? null });
  }

  private list({ headers }: RouteRequest): Promise<Answer> {
    return this.answer({ headers, path: '/' }, async ({ session }) => {
      const sessions = await this.guard.own.list(session.identityId, headers);
      return json(200, {
        sessions: sessions.map(({ sessionId, authenticatedAt, lastActiveAt, device, place }) => ({
          id: sessionId,
          current: sessionId === session.sessionId,
          ...given({ device, place }),
          authenticatedAt: iso(authenticatedAt),
          lastActiveAt: iso(lastActiveAt),
        })),
      });
    });
  }

  private end({ headers, body }: RouteRequest): Promise<Answer> {
    return this.answer({ headers, path: '/' }, async ({ session }) => {
      const parsed = endBody.safeParse(body);
      if (!parsed.success)
        return invalid('id', 'is missing. Send { "id": … } of an own session, or { "others": true }');
      await this.guard.own.end(session, headers, parsed.data);
      return empty;
    });
  }

  private state(live: Live): Answer {
    return stateOf(live, this.guard.writeEveryMs(live.policy), this.guard.clock());
  }

  private async answer(
    question: Question,
    whenLive: (live: Live) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const decision = await this.guard.decide({ ...question, stepUp: undefined, isOwnRoute: true });
    return decision.kind === 'live' ? whenLive(decision) : refusalOf(decision, this.guard.clock());
  }
}

function invalidOf(error: z.ZodError): Answer {
  const [issue] = error.issues;
  return invalid(issue?.path.join('.') || 'body', issue?.message ?? 'is malformed');
}
