/** The replay corpus: histories of finished and sleeping lifecycles, as they were recorded. Node and Temporal only. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

export const historiesDirectory = fileURLToPath(new URL('../histories/', import.meta.url));

export interface RecordedHistory {
  readonly name: string;
  /** As in the file. */
  readonly json: string;
}

export async function readHistories(): Promise<RecordedHistory[]> {
  const files = (await readdir(historiesDirectory)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.json$/, ''),
      json: await readFile(`${historiesDirectory}${file}`, 'utf8'),
    })),
  );
}

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

/**
 * Protobuf.js' own JSON form, with times as seconds and nanoseconds: the SDK's `historyFromJSON` and `historyToJSON`
 * fail where npm installed more than one copy of protobuf.js.
 */
export function toPlain(history: History): unknown {
  return History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
}

/** What `Worker.runReplayHistory` takes. */
export function fromPlain(plain: unknown): History {
  return History.fromObject(plain as Record<string, unknown>);
}

type Visitor = (key: string, value: unknown) => unknown;

/** Rebuilds a JSON value with what `visit` makes of each field. */
function mapFields(value: unknown, visit: Visitor): unknown {
  if (Array.isArray(value)) return value.map((item) => mapFields(item, visit));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, mapFields(visit(key, inner), visit)]),
  );
}

/** Of no use in a replay: what ran the worker, and where its files lie. */
const left = new Set(['workerVersion', 'inheritedBuildId', 'prevAutoResetPoints', 'stackTrace']);

/** Takes out who recorded (`pid@host`), and with what. */
export function scrubbed(history: unknown): unknown {
  return mapFields(history, (key, value) => {
    if (left.has(key)) return undefined;
    return key === 'identity' || (typeof value === 'string' && /^\d+@/.test(value)) ? 'recorder' : value;
  });
}

/** Every payload of a history, decoded, as text. */
export function decodedPayloads(history: unknown): string[] {
  const texts: string[] = [];
  mapFields(history, (key, value) => {
    if (key === 'data' && typeof value === 'string')
      texts.push(Buffer.from(value, 'base64').toString('utf8'));
    return value;
  });
  return texts;
}
