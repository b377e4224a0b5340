/**
 * A pool whose statements have spans, within a trace. A span tells the kind of statement and the first table that it names, never its
 * text or a value.
 */
import { AsyncResource } from 'node:async_hooks';
import pg from 'pg';
import { errorTypeOf, type Span, tracing } from '../process/tracing.js';

type Query = (...args: unknown[]) => unknown;
type Callback = (error: Error | undefined, ...rest: unknown[]) => void;
type Connect = (callback?: Callback) => unknown;

export class TracedPool extends pg.Pool {
  constructor(config: pg.PoolConfig) {
    super({ ...config, Client: TracedClient });
    const connect = super.connect.bind(this) as Connect;
    // `pool.query` connects by a callback, and a query that waited for a connection is called by whoever gave that back.
    this.connect = ((callback?: Callback) =>
      connect(callback && AsyncResource.bind(callback))) as typeof this.connect;
  }
}

class TracedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const query = super.query.bind(this) as Query;
    this.query = ((...args: unknown[]) => traced(query, args)) as typeof this.query;
  }
}

function traced(query: Query, args: unknown[]): unknown {
  const tracer = tracing();
  const text = textOf(args[0]);
  if (text === undefined || tracer?.active() === undefined) return query(...args);
  const summary = summaryOf(text);
  const span = tracer.open({
    name: `PostgreSQL ${summary}`,
    kind: 'client',
    attributes: { 'db.system.name': 'postgresql', 'db.query.summary': summary },
  });
  const callback = args.at(-1);
  if (typeof callback === 'function') {
    const answered = AsyncResource.bind((error?: Error, ...rest: unknown[]) => {
      ended(span, error ?? undefined);
      callback(error, ...rest);
    });
    return query(...args.slice(0, -1), answered);
  }
  const answer = query(...args);
  if (answer instanceof Promise)
    answer.then(
      () => ended(span),
      (error: unknown) => ended(span, error),
    );
  return answer;
}

function ended(span: Span, error?: unknown): void {
  if (error !== undefined) span.fail(errorTypeOf(error));
  span.end();
}

/** Absent for cursors and the like, which answer in parts. */
function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || 'submit' in query) return undefined;
  const text: unknown = Reflect.get(query, 'text');
  return typeof text === 'string' ? text : undefined;
}

const tableOf = /\b(?:from|into|update|join|table)\s+(?:only\s+)?"?([a-z_][a-z0-9_.]{0,62})/i;

/** `SELECT standing`: the first word, and the first table. */
export function summaryOf(text: string): string {
  const [, verb = 'statement'] = /^\s*([a-z]{2,12})\b/i.exec(text) ?? [];
  const [, table] = tableOf.exec(text) ?? [];
  return table === undefined ? verb.toUpperCase() : `${verb.toUpperCase()} ${table}`;
}
