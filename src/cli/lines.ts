/** JSON lines of a long answer, one after the other. */
import { parseJson } from '../process/parse-json.js';
import { CliError, exitCodes } from './exit-codes.js';

/** Characters; the gateway's lines have a few hundred. */
const longestLine = 1_000_000;

/** @throws CliError where a line is no JSON, or has no end */
export async function* jsonLines<Row>(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  for await (const line of textLines(bytes)) {
    const row = parseJson(line);
    if (row === undefined) throw somethingElse();
    yield row as Row;
  }
}

async function* textLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > longestLine) throw somethingElse();
    yield* parts;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function somethingElse(): CliError {
  return new CliError('The gateway answered something else.', exitCodes.unavailable);
}
