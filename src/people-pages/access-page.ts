/** The apps and devices that stay signed in for a person by refresh tokens: "end" for each and for all, and what ended lately. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { dayMs } from '../domain/duration.js';
import { pagePaths, refreshTokensPageUrl } from '../links/link-urls.js';
import { formatTime } from '../mail/durations.js';
import type { SessionGuard } from '../middleware/idle-sessions/guard.js';
import { isSameOrigin } from '../middleware/request-origin.js';
import { fromPostgres } from '../middleware/unjudged.js';
import {
  endFamilies,
  type FamilyEndReason,
  type RefreshFamily,
  readFamilies,
  readLiveFamilies,
} from '../tokens/refresh/families-table.js';
import { localeOf } from './accept-language.js';
import { deviceName } from './device-name.js';
import { bySession, type PageContext, show } from './page.js';
import { type AccessForm, pageSchemas } from './page-schemas.js';
import type { FamilyView, PageView } from './render-page.js';
import { whenSignedIn } from './signed-in.js';

/** How long the page tells of what ended. */
const toldForMs = 30 * dayMs;
const stale: readonly FamilyEndReason[] = ['unused', 'inactive', 'lifetime', 'same_origin'];

/** @param server has the headers of pages that a cookie opens (sessions-page.ts) */
export function accessRoutes(server: FastifyInstance, context: PageContext, guard: SessionGuard): void {
  const url = pagePaths.refreshTokens;
  const origins = [new URL(context.baseUrl).origin];
  server.get(url, { config: bySession, schema: pageSchemas.access }, (request, reply) =>
    whenSignedIn(guard, context, request, reply, async ({ session }) =>
      show(request, reply, context, 'access', await describe(context, session.identityId, request)),
    ),
  );
  server.post<AccessForm>(url, { config: bySession, schema: pageSchemas.changeAccess }, (request, reply) => {
    if (!isSameOrigin(request.headers, origins)) return show(request, reply.code(403), context, 'problem');
    return whenSignedIn(guard, context, request, reply, async ({ session }) => {
      await end(context, session.identityId, request.body);
      return reply.redirect(refreshTokensPageUrl(context.baseUrl), 303);
    });
  });
}

/** Another person's family is none of theirs: naming it does nothing. */
async function end(
  { pool, clock }: PageContext,
  identityId: string,
  asked: AccessForm['Body'],
): Promise<void> {
  const now = await clock.now();
  await fromPostgres(async () => {
    const own = await readLiveFamilies(pool, identityId);
    const chosen = asked.do === 'end-all' ? own : own.filter(({ familyId }) => familyId === asked.id);
    await endFamilies(pool, { familyIds: chosen.map(({ familyId }) => familyId), why: 'by_person' }, now);
  });
}

async function describe(
  { pool, clock }: PageContext,
  identityId: string,
  { headers }: FastifyRequest,
): Promise<Partial<PageView>> {
  const { formatTag } = localeOf(headers['accept-language']);
  const since = (await clock.now()) - toldForMs;
  const families = await fromPostgres(() => readFamilies(pool, identityId, since));
  const views = families.map((family) => familyView(family, formatTag));
  return {
    live: views.filter(({ until }) => until === ''),
    ended: views.filter(({ until }) => until !== ''),
  };
}

function familyView(family: RefreshFamily, formatTag: string): FamilyView {
  const { familyId, clientId, createdAt, lastUsedAt, lastAddress, ended } = family;
  return {
    id: familyId,
    device: family.deviceName ?? deviceName(family.userAgent) ?? '',
    client: clientId,
    place: lastAddress ?? '',
    since: formatTime(createdAt, formatTag),
    used: lastUsedAt === undefined ? '' : formatTime(lastUsedAt, formatTag),
    until: ended === undefined ? '' : formatTime(ended.at, formatTag),
    isStale: ended !== undefined && stale.includes(ended.why),
    isReuse: ended?.why === 'reuse',
  };
}
