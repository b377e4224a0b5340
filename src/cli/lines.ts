/** JSON lines of a long answer, one after the other. */
import { parseJson } from '../process/parse-json.js';
import { CliError, exitCodes } from './exit-codes.js';

/** @throws CliError where a line is no JSON */
export async function* jsonLines<Row>(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  for await (const line of textLines(bytes)) {
    const row = parseJson(line);
    if (row === undefined) throw new CliError('The gateway answered something else.', exitCodes.unavailable);
    yield row as Row;
  }
}

async function* textLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
