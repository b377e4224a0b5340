/**
 * Who may call a route. Each route declares it once, in its `config`, and a route that declares nothing can't be registered: nothing is
 * open by default.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../domain/principals/principal.js';
import { isServedAt, type RouteScope, type Side } from '../domain/principals/scopes.js';
import {
  type Authenticator,
  type Identified,
  type RefusalCause,
  withScope,
} from '../principals/authenticator.js';
import { answerNotFound } from './errors.js';
import type { Gate, Refusal } from './gate.js';
import { isHook, presentedBy, refusalFor } from './presented.js';

/** No credential of the gateway is needed: the content is public, or the page has its own (a link, a session's cookie). */
export interface OpenRoute {
  /** Why anybody may call it, in words. */
  readonly open: string;
  readonly side: Side;
}

/** Another way to authenticate at a route, beside credentials. */
export interface OtherWay {
  /** Whether this request takes it. The route's own hooks then check it. */
  takes(request: FastifyRequest): boolean;
  /** How a caller with neither is answered. */
  readonly refusal: Refusal;
}

/** Who calls a page of the desk: by a session's cookie in place of a credential. */
export interface PageAccess {
  /** Never throws. */
  identify(request: FastifyRequest): Promise<Identified>;
  /** Answers a call that was refused, as people read it. */
  refuse(request: FastifyRequest, reply: FastifyReply, refusal: PageRefusal): Promise<unknown>;
}

export interface PageRefusal {
  readonly cause: RefusalCause;
  readonly scope: RouteScope;
}

export interface ScopedRoute {
  readonly scope: RouteScope;
  readonly otherWay?: OtherWay;
  /** A page for operators: served at their address only, and not to credentials. */
  readonly page?: PageAccess;
}

export type RouteAccess = OpenRoute | ScopedRoute;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required: a route without it is refused when it is registered. */
    access?: RouteAccess;
  }
}

/** What is told of a call that was refused. */
export interface RefusedCall {
  readonly cause: RefusalCause;
  readonly route: string;
  readonly method: string;
  readonly address: string;
  readonly scope?: RouteScope;
  /** Whose credential it was, where that is known. */
  readonly actor?: string;
}

export interface AccessOptions {
  readonly gate: Gate;
  readonly authenticator: Authenticator;
  /** Routes of the other side are answered as if there were none. */
  readonly side: Side;
  /** Told of each call that is refused. Never throws. */
  readonly onRefused: (call: RefusedCall) => void;
}

interface Admitted {
  readonly principal: Principal;
  readonly onRefused: AccessOptions['onRefused'];
  readonly scope: RouteScope;
}

const admitted = new WeakMap<FastifyRequest, Admitted>();

/** @returns who called a route that has a scope. @throws Error where nobody was identified */
export function principalOf(request: FastifyRequest): Principal {
  const principal = findPrincipal(request);
  if (principal === undefined) throw new Error('nobody was identified for this request');
  return principal;
}

/** @returns who called, where that is known */
export function findPrincipal(request: FastifyRequest): Principal | undefined {
  return admitted.get(request)?.principal;
}

/** Tells of a call that the route itself refuses: what it asks for is beyond the scopes of whoever calls. */
export function noteInsufficientScope(request: FastifyRequest): void {
  noteRefused(request, 'scope');
}

/** Tells of a call by somebody known that is refused after all. */
export function noteRefused(request: FastifyRequest, cause: RefusalCause): void {
  const known = admitted.get(request);
  known?.onRefused(refusedCall(request, { cause, actor: known.principal.actor }, known.scope));
}

/** A route's declaration, for its `config`. */
export const scoped = (scope: RouteScope) => ({ access: { scope } }) as const;
export const scopedPage = (scope: RouteScope, page: PageAccess) => ({ access: { scope, page } }) as const;
export const open = (why: string, side: Side = 'public') => ({ access: { open: why, side } }) as const;

const declared = new WeakMap<FastifyInstance, ReadonlyMap<string, RouteAccess>>();

/** @returns what each route of a guarded server declares, by `METHOD /path` */
export function accessOfRoutes(server: FastifyInstance): ReadonlyMap<string, RouteAccess> {
  return declared.get(server) ?? new Map();
}

/** To be called before any route is registered. */
export function guardRoutes(server: FastifyInstance, options: AccessOptions): void {
  const declarations = new Map<string, RouteAccess>();
  declared.set(server, declarations);
  server.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access;
    for (const one of [method].flat()) {
      // guard: principals: a route without a declaration is not registered
      if (access === undefined) throw new Error(`${one} ${url} declares no scope, and is not declared open`);
      declarations.set(`${one} ${url}`, access);
    }
  });
  server.addHook('onRequest', async (request, reply) => {
    if (request.is404) return;
    const { access } = request.routeOptions.config;
    // guard: principals: an operators' route is not at the public address
    if (access === undefined || !isServed(access, options.side)) {
      answerNotFound(reply);
      return reply;
    }
    if ('open' in access || access.otherWay?.takes(request) === true) return;
    await admit(request, reply, access, options);
  });
}

/** Whether a route is reached at this address. */
export function isServed(access: RouteAccess, side: Side): boolean {
  if ('scope' in access)
    return access.page === undefined ? isServedAt(access.scope, side) : side !== 'public';
  return access.side === 'both' || side === 'both' || access.side === side;
}

async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { scope, otherWay, page }: ScopedRoute,
  { gate, authenticator, onRefused }: AccessOptions,
): Promise<void> {
  // guard: desk: a page takes the scope of its route
  const identified =
    page === undefined
      ? await authenticator.identify(presentedBy(request, scope), scope, request.ip)
      : withScope(await page.identify(request), scope);
  if (identified.kind === 'known') {
    admitted.set(request, { principal: identified.principal, onRefused, scope });
    await gate.isOverLimit(request, reply, identified.caller, isHook(scope) ? 'hook' : 'service');
    return;
  }
  // Whoever opens a page and is not signed in is sent to the sign-in: nothing was refused.
  const isAsked = page !== undefined && identified.cause === 'none' && request.method === 'GET';
  if (!isAsked) onRefused(refusedCall(request, identified, scope));
  if (page !== undefined) {
    await page.refuse(request, reply, { cause: identified.cause, scope });
    return;
  }
  if (identified.cause === 'unavailable') {
    await reply.code(503).header('retry-after', '5').send({
      error: 'temporarily_unavailable',
      message: 'Whether the credential is good can not be told now. Try again later.',
    });
    return;
  }
  await gate.refuse(request, reply, answerTo(identified.cause, scope, otherWay));
}

function answerTo(cause: RefusalCause, scope: RouteScope, otherWay: OtherWay | undefined): Refusal {
  if (cause !== 'scope') return otherWay?.refusal ?? refusalFor(scope);
  return {
    status: 403,
    error: 'insufficient_scope',
    message: `The credential lacks the scope ${scope}. Use another one, or create one that has it (dormouse credentials create)`,
    // RFC 6750, section 3.1.
    challenge: `Bearer error="insufficient_scope", scope="${scope}"`,
  };
}

/** The route by its pattern: a path may name a person, or hold a token. */
export function refusedCall(
  request: FastifyRequest,
  { cause, actor }: Pick<Extract<Identified, { kind: 'refused' }>, 'cause' | 'actor'>,
  scope: RouteScope,
): RefusedCall {
  return {
    ...{ cause, scope, method: request.method, address: request.ip },
    route: request.routeOptions.url ?? '',
    ...(actor !== undefined && { actor }),
  };
}
