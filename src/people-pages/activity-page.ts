/** What apps recorded about a person: requests with access tokens, refusals and errors, by kind and time, page by page. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AccessEnd, endKinds } from '../domain/tokens/access-verdict.js';
import { pagePaths } from '../links/link-urls.js';
import { formatTime } from '../mail/durations.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import { fromPostgres } from '../middleware/unjudged.js';
import { logCategories, readLines, type StoredLine } from '../tokens/access/request-log-table.js';
import { localeOf } from './accept-language.js';
import { type ActivityFilter, filterOf, queryFrom } from './activity-question.js';
import { bySession, type PageContext, show } from './page.js';
import { type ActivityQuery, pageSchemas } from './page-schemas.js';
import type { LineView, PageView } from './render-page.js';
import { whenSignedIn } from './signed-in.js';

const atOnce = 50;

/** @param server has the headers of pages that a cookie opens (sessions-page.ts) */
export function activityRoutes(server: FastifyInstance, context: PageContext, guard: SessionGuard): void {
  server.get<ActivityQuery>(
    pagePaths.activity,
    { config: bySession, schema: pageSchemas.activity },
    (request, reply) =>
      whenSignedIn(guard, context, request, reply, async ({ session }) => {
        const filter = filterOf(request.query);
        const view = form(request);
        if (filter === undefined) {
          return show(request, reply.code(400), context, 'activity', { ...view, isTimeWrong: true });
        }
        const lines = await linesOf(context, session.identityId, filter, request);
        return show(request, reply, context, 'activity', { ...view, ...lines });
      }),
  );
}

function form({ query }: FastifyRequest<ActivityQuery>): Partial<PageView> {
  const { category, from, to, before } = query;
  const kinds = logCategories.map((kind) => ({
    kind,
    isAudit: kind === 'AUDIT',
    isSecurity: kind === 'SECURITY',
    isError: kind === 'ERROR',
    isChosen: kind === category,
  }));
  return { kinds, from, to, newest: before === undefined ? '' : queryFrom(query, undefined) };
}

/** Only ever the person's own. */
async function linesOf(
  { pool }: PageContext,
  identityId: string,
  filter: ActivityFilter,
  { query, headers }: FastifyRequest<ActivityQuery>,
): Promise<Partial<PageView>> {
  const { formatTag } = localeOf(headers['accept-language']);
  // guard: access tokens: the page of activity shows the person’s own entries alone
  const read = await fromPostgres(() => readLines(pool, { ...filter, identityId, limit: atOnce + 1 }));
  const shown = read.slice(0, atOnce);
  const last = read.length > atOnce ? shown.at(-1)?.id : undefined;
  return {
    lines: shown.map((line) => lineView(line, formatTag)),
    older: last === undefined ? '' : queryFrom(query, last),
  };
}

function lineView(
  { at, app, category, method, path, status, reason }: StoredLine,
  formatTag: string,
): LineView {
  const end = category === 'SECURITY' ? (endKinds[reason as AccessEnd] ?? 'error') : undefined;
  return {
    at: formatTime(at, formatTag),
    app,
    method: method ?? '',
    path: path ?? '',
    status: status === undefined ? '' : String(status),
    isRequest: category === 'AUDIT',
    isIdle: end === 'idle',
    isTime: end === 'time',
    isRevoked: end === 'revoked',
    isWrong: end === 'error',
    isUnjudged: category === 'ERROR',
  };
}
