/** `GET /api/logs/recent`: people read their own lines of the app's log, operators everybody's. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { given } from '../../domain/given.js';
import { rfc3339Text } from '../../domain/rfc3339-text.js';
import { logCategories, type StoredLine } from '../../tokens/access/request-log-table.js';
import { type Answer, invalid, iso, json } from '../answers.js';
import { refusalOf } from './answers.js';
import type { InactivityJwtStrategy } from './strategy.js';

const time = rfc3339Text('is not a time. Write it by RFC 3339, as 2026-03-01T00:00:00Z').transform((text) =>
  Date.parse(text),
);

const query = z.strictObject({
  category: z.enum(logCategories, { error: `is none. Write one of: ${logCategories.join(', ')}` }).optional(),
  user_id: z.uuid('is not a UUID').optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'is not a number from 1 to 500')
    .transform(Number)
    .refine((limit) => limit <= 500, 'is not a number from 1 to 500')
    .default(50),
  before: z
    .string()
    .regex(/^\d{1,18}$/, 'is no cursor. Take "next" of the answer before')
    .optional(),
  from: time.optional(),
  to: time.optional(),
});

export async function answerLogs(
  strategy: InactivityJwtStrategy,
  { headers, search, path }: { headers: IncomingHttpHeaders; search: URLSearchParams; path: string },
): Promise<Answer> {
  // Reading one's own log is no use of the token.
  const decision = await strategy.decide({ headers, path, isUse: false });
  if (decision.kind !== 'good') return refusalOf(decision, strategy.clock());
  const twice = [...search.keys()].find((key) => search.getAll(key).length > 1);
  if (twice !== undefined) return invalid(twice, 'is there twice. Send it once');
  const parsed = query.safeParse(Object.fromEntries(search));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.');
    return invalid(field ?? 'query', issue?.message ?? 'is malformed');
  }
  const { category, user_id: userId, limit, before, from, to } = parsed.data;
  const { identityId: own } = decision.token;
  const mayReadAll = strategy.isOperator(decision.token);
  if (!mayReadAll && userId !== undefined && userId.toLowerCase() !== own) {
    return json(403, { error: 'forbidden', field: 'user_id', message: 'is somebody else. Leave it out' });
  }
  const identityId = mayReadAll ? userId : own;
  const lines = await strategy.readLog({
    limit,
    ...given({ category, identityId, before, since: from, until: to }),
  });
  const next = lines.length === limit ? (lines.at(-1)?.id ?? null) : null;
  return json(200, { logs: lines.map(shown), next });
}

function shown({ id, at, category, app, identityId, event, method, path, status, reason }: StoredLine) {
  return {
    ...{ id, at: iso(at), category, app, event },
    ...given({ user_id: identityId, method, path, status, reason }),
  };
}
