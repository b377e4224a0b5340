/** Puts the parts of a guard together. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { SessionsPolicy } from '../../domain/sessions/policy.js';
import { PolicyReader } from '../../policies/policies-table.js';
import { createPool } from '../../postgres/pool.js';
import type { SessionClosers } from '../../sessions/close.js';
import { type Presence, readNews, sessionsChannel } from '../../sessions/sessions-table.js';
import { DatabaseClock } from '../database-clock.js';
import { NewsFeed } from '../news-feed.js';
import { PolicySource } from '../policy-source.js';
import type { SeenWriter } from '../seen-writer.js';
import { closersOf, SessionEnds } from './ends.js';
import { SessionJudge } from './judge.js';
import { SessionMemory } from './memory.js';
import type { GuardOptions } from './options.js';
import { OwnSessions } from './own-sessions.js';
import { checkThrottle, Presences, presenceWriter } from './presences.js';
import { type SessionsSource, sessionsOfPolicy } from './sessions-section.js';
import { SignIns } from './sign-ins.js';

export interface GuardParts {
  readonly pool: pg.Pool;
  readonly policies: SessionsSource;
  readonly signIns: SignIns;
  readonly memory: SessionMemory;
  readonly writer: SeenWriter<Presence>;
  readonly presences: Presences;
  readonly closers: SessionClosers | undefined;
  readonly ends: SessionEnds;
  readonly feed: NewsFeed;
  readonly judge: SessionJudge;
  readonly own: OwnSessions;
  /** Epoch milliseconds, whole. */
  readonly now: () => number;
}

/** Opens nothing yet. @throws ConfigError where a field of the policy or the throttle is wrong */
export function partsOf(options: GuardOptions, onError: (error: unknown) => void): GuardParts {
  const { postgresUrl, pollMs = 2_000, staleMs = 5_000, cacheEntries = 100_000, beforeWrite } = options;
  const pool = createPool({ url: postgresUrl, connectTimeoutMs: 2_000, statementTimeoutMs: 2_000 });
  const policies = new PolicySource(sessionsOfPolicy, options.policy, new PolicyReader(pool));
  const known = policies.current();
  if (known !== undefined) checkThrottle(options.writeEveryMs, known.policy);
  const clock = new DatabaseClock();
  const read = options.clock ?? clock.now;
  // Whole, as PostgreSQL keeps them: an end rests on times that are compared for equality.
  const now = () => Math.floor(read());
  const signIns = new SignIns(options, () => namesRoles(policies.current()?.policy));
  const memory = new SessionMemory(pool, cacheEntries);
  const writer = presenceWriter(pool, onError);
  const presences = new Presences(writer, options);
  const closers = closersOf(options);
  const ends = new SessionEnds({ pool, memory, closers, now, beforeWrite, onError });
  const hear = (what: string | undefined, id: string | undefined) => {
    if (id === undefined) return;
    if (what === 'ended') ends.hear(id);
    if (what === 'choice') memory.forgetPerson(id);
  };
  const feed = new NewsFeed({
    postgresUrl,
    channel: sessionsChannel,
    clock,
    pollMs,
    async read(since) {
      const news = await readNews(pool, since);
      for (const { sessionId } of news.ended) hear('ended', sessionId);
      for (const identityId of news.choices) hear('choice', identityId);
      return news.now;
    },
    hear(payload) {
      const [what, id] = payload.split('/', 2);
      hear(what, id);
    },
    alongside: () => policies.reload(),
    onError,
  });
  const shared = { policies, signIns, memory, writer, presences, ends, feed, now };
  const { roles, log } = options;
  const judge = new SessionJudge({ ...shared, staleMs, ...given({ roles, log }) });
  return { ...shared, pool, closers, judge, own: new OwnSessions(pool, memory, signIns, ends) };
}

function namesRoles(policy: SessionsPolicy | undefined): boolean {
  if (policy === undefined) return true;
  return Object.keys(policy.roles).length + Object.keys(policy.choices?.ceilings ?? {}).length > 0;
}
