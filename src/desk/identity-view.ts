/** What the page of one identity shows: where it stands, why, what happened, and which decisions the reader may take. */
import type { FastifyRequest } from 'fastify';
import { readAuditPage } from '../audit/log-table.js';
import type { StandingDetails } from '../client/types.js';
import { DormouseUnavailableError, NotEnrolledError } from '../client.js';
import { formatDuration } from '../domain/duration.js';
import { exemptionKinds } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { lifecycleWorkflowId } from '../domain/identity-id.js';
import { identityUrl } from '../domain/identity-url.js';
import { holdKinds, kindOfHold } from '../domain/lifecycle/holds.js';
import type { Standing } from '../domain/standing.js';
import type { CredentialStanding } from '../domain/tokens/credential-standing.js';
import { readExemption } from '../exemptions/exemptions-table.js';
import { everyAddress } from '../mail/addresses.js';
import { readIdentity } from '../ory/kratos-identity.js';
import { credentialStandings } from '../tokens/credentials.js';
import type { DeskContext } from './context.js';
import { decisionsFor } from './identity-decisions.js';
import { may } from './show.js';
import { timelineOf } from './timeline.js';

/** Entries of the audit log on one page. */
const rows = 100;

/** @param before the place in the audit log before which the page begins. @throws NotEnrolledError where nothing is known */
export async function identityView(
  context: DeskContext,
  request: FastifyRequest,
  id: string,
  before: number | undefined,
): Promise<object> {
  const { pool, clock } = context;
  const now = await clock.now();
  const { standing, isLive } = await readStanding(context, id);
  const mayAudit = may(request, 'audit:read');
  const [log, exemption, tokens, addresses] = await Promise.all([
    mayAudit ? readAuditPage(pool, id, { rows: rows + 1, ...given({ before }) }) : undefined,
    readExemption(pool, id),
    standing?.credentials ??
      credentialStandings(pool, { identityId: id, policyId: standing?.policy?.id }, now),
    // guard: desk: addresses take the scope addresses:read
    may(request, 'addresses:read') ? addressesOf(context, id) : undefined,
  ]);
  if (standing === undefined && exemption === undefined && (log ?? []).length === 0)
    throw new NotEnrolledError();
  const shown = log?.slice(0, rows);
  const last = shown?.at(-1)?.seq;
  const url = identityUrl(id);
  return {
    ...{ identityId: id, isLive, standing: standing && standingView(standing) },
    ...{ addresses: addresses ?? '', hasAddresses: addresses !== undefined },
    exemption: exemption && { ...exemption, isDue: exemption.reviewAt <= now },
    tokens: tokens.map(tokenView),
    timeline: timelineOf(standing, shown, before === undefined),
    mayAudit,
    temporalUrl: temporalUrl(context, id),
    older: (log ?? []).length > rows && last !== undefined ? `${url}?before=${last}` : '',
    isFirst: before === undefined,
    href: url,
    decisions: decisionsFor({ request, standing, exemption, url }),
    ...{ holdKinds, exemptionKinds },
  };
}

/** What only the workflow itself tells is absent where it is from the projection. */
type ShownStanding = Standing & Partial<StandingDetails>;

/** From the workflow itself; from the projection where Temporal does not answer, or no workflow runs. */
async function readStanding(
  { dormouse }: DeskContext,
  id: string,
): Promise<{ readonly standing: ShownStanding | undefined; readonly isLive: boolean }> {
  try {
    return { standing: await dormouse.liveStanding(id), isLive: true };
  } catch (error) {
    if (!(error instanceof NotEnrolledError || error instanceof DormouseUnavailableError)) throw error;
    return { standing: await dormouse.standing(id), isLive: false };
  }
}

function standingView(standing: ShownStanding) {
  const { stage, since, lastActiveAt, why, next, blocked, parked, policy, warnings, inProgress } = standing;
  const { obstacles = blocked === undefined ? [] : [blocked] } = standing;
  return {
    ...{ stage, since, lastActiveAt, why, warnings },
    nextStep: next === undefined ? '' : next.step === 'notice' ? `notice of ${next.rung}` : next.rung,
    nextAt: next?.at,
    // Each has to go before anything happens.
    obstacles: obstacles.map((one) => one.why),
    parked: parked ?? '',
    policy: policy === undefined ? '' : `${policy.id} version ${policy.version}`,
    policyHref: policy === undefined ? '' : `/desk/policies/${policy.id}`,
    inProgress: inProgress ?? '',
    holds: (standing.holds ?? []).map((hold) => ({ ...hold, kind: kindOfHold(hold) })),
  };
}

function tokenView({ kind, type, inactiveMs, live, nextEndAt, policyId }: CredentialStanding) {
  return {
    ...{ live, nextEndAt, policy: policyId },
    kind: type === undefined ? kind : `${kind} (${type})`,
    limit: inactiveMs === null ? 'never end unused' : formatDuration(inactiveMs),
  };
}

/** @returns `undefined` where they can't be read: the page is worth seeing without */
async function addressesOf({ identities }: DeskContext, id: string): Promise<string | undefined> {
  if (identities === undefined) return undefined;
  try {
    const identity = await readIdentity(identities, id);
    return identity === undefined ? '' : [...new Set(everyAddress(identity))].join(', ');
  } catch {
    return undefined;
  }
}

function temporalUrl({ temporalUi }: DeskContext, id: string): string {
  if (temporalUi === undefined) return '';
  const { url, namespace } = temporalUi;
  return `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(lifecycleWorkflowId(id))}`;
}
