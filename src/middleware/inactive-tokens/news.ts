/** What other processes did to tokens and people: heard at once, and read again with each poll. */
import type pg from 'pg';
import { readTokenNews, tokensChannel } from '../../tokens/access/uses-table.js';
import type { DatabaseClock } from '../database-clock.js';
import { NewsFeed } from '../news-feed.js';
import type { Subjects } from './subjects.js';
import type { Uses } from './uses.js';

export interface TokenNewsOptions {
  readonly pool: pg.Pool;
  readonly postgresUrl: string;
  readonly clock: DatabaseClock;
  readonly pollMs: number;
  readonly uses: Uses;
  readonly subjects: Subjects;
  /** Read with each poll. */
  readonly alongside: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Forgets from memory what ended or changed elsewhere. The feed is yet to be started. */
export function createTokenNews(options: TokenNewsOptions): NewsFeed {
  const { pool, postgresUrl, clock, pollMs, uses, subjects, alongside, onError } = options;
  const hear = (what: string | undefined, id: string | undefined) => {
    if (id === undefined) return;
    if (what === 'ended') uses.forget(id);
    // guard: access tokens: a revocation is heard
    if (what === 'identity') subjects.forget(id);
  };
  return new NewsFeed({
    postgresUrl,
    channel: tokensChannel,
    clock,
    pollMs,
    read: async (since) => {
      const news = await readTokenNews(pool, since);
      for (const key of news.ended) hear('ended', key);
      for (const identityId of news.identities) hear('identity', identityId);
      return news.now;
    },
    hear: (payload) => {
      const [what, id] = payload.split('/', 2);
      hear(what, id);
    },
    alongside,
    onError,
  });
}
