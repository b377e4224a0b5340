/** What the guards and their routes answer. Knows no server framework. */
import { rfc3339 as iso } from '../domain/rfc3339.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

const noStore = { 'cache-control': 'no-store' };

export function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { ...noStore, 'content-type': 'application/json; charset=utf-8', ...headers },
    body,
  };
}

export const empty: Answer = { status: 204, headers: noStore };

export function invalid(field: string, message: string): Answer {
  return json(400, { error: 'invalid_request', field, message });
}

export { iso };
