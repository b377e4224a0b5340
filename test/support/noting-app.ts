/**
 * An app that notes activity, in a process of its own, until it is killed. It logs its calls to a file, each line written
 * before the deed by a synchronous write, so that it outlives the kill: `note <identity> <at>`, and `begin` and `end`
 * of each statement that records signs.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import pg from 'pg';
import { seeded } from '../../bench/activity/zipf.js';
import { createDormouse } from '../../src/client/direct.js';

export interface NotingAppInput {
  readonly journal: string;
  readonly postgresUrl: string;
  readonly temporalAddress: string;
  readonly taskQueue: string;
  readonly batchMs: number;
  readonly seed: number;
  /** Noted again and again. */
  readonly identityIds: readonly string[];
  /** Noted once each, one after the other. */
  readonly once: readonly string[];
}

const inputFile = process.argv[2];
if (inputFile === undefined) throw new Error('takes the file of its input');
const input: NotingAppInput = JSON.parse(readFileSync(inputFile, 'utf8'));
const journal = openSync(input.journal, 'a');
const write = (what: string) => writeSync(journal, `${Date.now()} ${what}\n`);
watchStatements();

const dormouse = createDormouse({
  temporal: { address: input.temporalAddress },
  postgresUrl: input.postgresUrl,
  taskQueue: input.taskQueue,
  batchMs: input.batchMs,
});
const random = seeded(input.seed);
const once = [...input.once];
/** In the past, so that a sign never gets ahead of the clock, whatever the clock does: the client cuts such a time off. */
let last = Date.now() - 3_600_000;
console.log('noting');
setInterval(() => {
  const id =
    random() < 0.02 && once.length > 0
      ? once.shift()
      : input.identityIds[Math.floor(random() * input.identityIds.length)];
  if (id === undefined) return;
  // Each sign has a time of its own.
  last += 1;
  write(`note ${id} ${last}`);
  dormouse.noteActivity(id, { at: last, kind: 'token', source: 'noting-app' });
}, 3);

/** Looks on while the client's pool works; changes nothing. */
function watchStatements(): void {
  const { query } = pg.Pool.prototype;
  const watched = function (this: pg.Pool, text: string, values?: unknown[]) {
    const answer: Promise<unknown> = Reflect.apply(query, this, [text, values]);
    if (!text.includes('INSERT INTO identity_activity')) return answer;
    write('begin');
    return answer.then((result) => {
      write('end');
      return result;
    });
  };
  Object.assign(pg.Pool.prototype, { query: watched });
}
