/** Answers with a page of the desk. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { covers, type RouteScope } from '../domain/principals/scopes.js';
import { findPrincipal } from '../http/access.js';
import type { DeskContext } from './context.js';
import { formTokenOf } from './csrf.js';
import { doneText } from './done.js';
import { type DeskPage, renderDesk } from './render.js';

const sections: readonly { readonly href: string; readonly text: string; readonly scope: RouteScope }[] = [
  { href: '/desk', text: 'Overview', scope: 'standing:read' },
  { href: '/desk/people', text: 'People', scope: 'standing:read' },
  { href: '/desk/work', text: 'Work list', scope: 'worklist:read' },
  { href: '/desk/breaker', text: 'Breaker', scope: 'breaker:read' },
  { href: '/desk/policies', text: 'Policies', scope: 'policy:read' },
  { href: '/desk/reports', text: 'Reports', scope: 'audit:read' },
];

export interface Shown {
  readonly title: string;
  readonly view?: object;
  /** Default: 200. */
  readonly status?: number;
}

export function show(
  context: DeskContext,
  request: FastifyRequest,
  reply: FastifyReply,
  page: DeskPage,
  { title, view = {}, status = 200 }: Shown,
): FastifyReply {
  const principal = findPrincipal(request);
  const secret = context.cookies.session(request.headers);
  const path = request.url.split('?', 1)[0] ?? '';
  const frame = {
    ...{ title, product: context.productName, actor: principal?.actor ?? '' },
    token: principal === undefined || secret === undefined ? '' : formTokenOf(secret),
    done: doneText(request.query),
    links: sections
      .filter(({ scope }) => principal !== undefined && covers(principal.scopes, scope))
      .map(({ href, text }) => ({
        ...{ href, text },
        isCurrent: href === '/desk' ? path === href : path.startsWith(href),
      })),
  };
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(renderDesk(page, frame, view));
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What is wrong, and the way out. */
  readonly message: string;
}

export function showProblem(
  context: DeskContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { status, title, message }: Problem,
): FastifyReply {
  return show(context, request, reply, 'problem', { title, status, view: { title, message } });
}

/** Whether the person who asks may do this. */
export function may(request: FastifyRequest, scope: RouteScope): boolean {
  return covers(findPrincipal(request)?.scopes ?? [], scope);
}
