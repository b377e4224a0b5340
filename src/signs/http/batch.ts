/** Batches of events as NDJSON: bounded in memory. Each line is handled by itself. */
import pLimit from 'p-limit';
import { z } from 'zod';
import { DormouseUnavailableError, InvalidIdentityIdError, InvalidRequestError } from '../../client.js';
import { problemsOf } from '../../http/errors.js';
import { parseStrictJson } from '../../http/strict-json.js';
import { reportedSign } from './event.js';

/** Bytes of a batch. */
export const batchBodyLimit = 524_288;
export const maxBatchLines = 1_000;
/** Bytes of one line; an event has about 200. */
const maxLineLength = 4_096;
/** Events recorded at a time, so that one batch never takes all connections. */
const concurrency = 50;

const lineNumber = z.int().describe('1 is the first line');

export const batchAnswer = z.object({
  recorded: z.int(),
  invalid: z.int(),
  unavailable: z.int(),
  results: z
    .array(
      z.union([
        z.object({ line: lineNumber, outcome: z.enum(['recorded', 'dropped']) }),
        z.object({
          line: lineNumber,
          outcome: z.enum(['invalid', 'unavailable']),
          message: z.string().describe('the field, what is wrong with it, and the way out'),
        }),
      ]),
    )
    .describe('one for each line that is not blank, in their order'),
});
export type BatchAnswer = z.infer<typeof batchAnswer>;
type LineResult = BatchAnswer['results'][number];

export interface Line {
  readonly line: number;
  readonly text: string;
}

/** Thrown for a batch of too many lines. The answer is 413, and the rest is not read. */
export class TooManyLinesError extends Error {
  readonly statusCode = 413;
  constructor() {
    super(`body: has more than ${maxBatchLines} lines. Send several batches`);
  }
}

/**
 * Splits a body into lines, without making a string of any text beyond the limit.
 * @throws TooManyLinesError
 */
export function linesOf(body: Buffer): Line[] {
  const lines: Line[] = [];
  let line = 0;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(10, start);
    const end = newline === -1 ? body.length : newline;
    line += 1;
    // Blank lines count as well: half a million of them would not be a valid batch either.
    if (line > maxBatchLines) throw new TooManyLinesError();
    // A line that is too long keeps its place in the answer, but its content is dropped.
    const text = body.toString('utf8', start, Math.min(end, start + maxLineLength + 1)).trim();
    if (text !== '') lines.push({ line, text });
    start = end + 1;
  }
  return lines;
}

/** Records every valid line. An invalid one never affects the others. */
export async function recordLines(
  lines: readonly Line[],
  record: (event: z.infer<typeof reportedSign>) => Promise<'recorded' | 'dropped'>,
): Promise<BatchAnswer> {
  const limit = pLimit(concurrency);
  const results = await Promise.all(lines.map((line) => limit(() => recordLine(line, record))));
  const count = (outcome: LineResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    recorded: count('recorded'),
    invalid: count('invalid'),
    unavailable: count('unavailable'),
    results,
  };
}

async function recordLine(
  { line, text }: Line,
  record: (event: z.infer<typeof reportedSign>) => Promise<'recorded' | 'dropped'>,
): Promise<LineResult> {
  const invalid = (message: string): LineResult => ({ line, outcome: 'invalid', message });
  if (text.length > maxLineLength) return invalid(`body: the line is longer than ${maxLineLength} bytes`);
  try {
    const event = reportedSign.safeParse(parseStrictJson(text));
    if (!event.success) return invalid(problemsOf(event.error));
    return { line, outcome: await record(event.data) };
  } catch (error) {
    if (error instanceof InvalidIdentityIdError || error instanceof InvalidRequestError)
      return invalid(error.message);
    if (error instanceof DormouseUnavailableError) {
      return { line, outcome: 'unavailable', message: `${error.message} Send this line again later.` };
    }
    throw error;
  }
}
