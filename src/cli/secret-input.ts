/** A secret from the standard input: all of it where something is piped in, one line without echo at a terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Characters; the longest credential, a JWT, is far shorter. */
const longestInput = 10_000;

export interface SecretSource {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Where the prompt goes; never the secret. */
  readonly output: NodeJS.WritableStream;
}

/** @param prompt said at a terminal only. @returns the text without blanks around it */
export async function readSecret(
  prompt: string,
  { input, output }: SecretSource = { input: process.stdin, output: process.stderr },
): Promise<string> {
  return (input.isTTY === true ? await typedIn(prompt, input, output) : await pipedIn(input)).trim();
}

async function pipedIn(input: SecretSource['input']): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk;
    if (text.length > longestInput) break;
  }
  return text;
}

/** `terminal: true` takes the terminal's own echo away, and readline's goes nowhere. */
async function typedIn(
  prompt: string,
  input: SecretSource['input'],
  output: SecretSource['output'],
): Promise<string> {
  output.write(`${prompt}\n`);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // guard: command line: a secret that is typed is not shown
  const lines = createInterface({ input, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
      // Ctrl-C is a key to readline, so it has to end the command itself.
      lines.once('SIGINT', () => process.exit(130));
    });
  } finally {
    lines.close();
  }
}
