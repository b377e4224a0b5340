/**
 * Logs requests with access tokens beside them: lines are gathered and written together. An outage fails no request: lines wait, as many
 * as there is room for.
 */
import type pg from 'pg';
import { ConfigError } from '../../config.js';
import { appNamePattern, type LogLine, writeLines } from '../../tokens/access/request-log-table.js';

const everyMs = 500;
const mostAtOnce = 1_000;
const mostWaiting = 20_000;
/** Anybody can cause lines about nobody: no more of them are written in a second. */
const mostOfNobody = 20;
const plainSegment = /^[A-Za-z][A-Za-z_-]{0,40}$/;

export class RequestLog {
  private waiting: LogLine[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private second = 0;
  private ofNobody = 0;
  private lost = 0;

  /** @param app the name under which it writes. @throws ConfigError where it is none */
  constructor(
    private readonly pool: pg.Pool,
    readonly app: string,
    private readonly onError: (error: unknown) => void,
  ) {
    if (!appNamePattern.test(app)) {
      throw new ConfigError(
        'requestLog.app is not a name. Write lower-case letters, digits and hyphens, 32 at most, as shop-api',
      );
    }
  }

  /** Returns at once, and never throws. */
  note(line: Omit<LogLine, 'app'>): void {
    if (
      this.waiting.length >= mostWaiting ||
      (line.identityId === undefined && !this.mayNoteNobody(line.at))
    ) {
      this.lost += 1;
      return;
    }
    this.waiting.push({ ...line, app: this.app });
    this.timer ??= setTimeout(() => void this.flush(), everyMs).unref();
  }

  /** Lines that found no room. */
  lostLines(): number {
    return this.lost;
  }

  /** Writes what waits. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, mostAtOnce);
      try {
        await writeLines(this.pool, batch);
        this.waiting.splice(0, batch.length);
      } catch (error) {
        this.onError(error);
        this.timer ??= setTimeout(() => void this.flush(), 5_000).unref();
        return;
      }
    }
  }

  private mayNoteNobody(at: number): boolean {
    const second = Math.floor(at / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.ofNobody = 0;
    }
    this.ofNobody += 1;
    return this.ofNobody <= mostOfNobody;
  }
}

/** A path as the log may have it: no query, and a placeholder for each segment that could name somebody. */
export function loggedPath(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? '/';
  const segments = path.split('/').map((segment) => {
    if (segment === '' || segment.startsWith(':')) return segment;
    return plainSegment.test(segment) ? segment : ':value';
  });
  return segments.join('/').slice(0, 256) || '/';
}
