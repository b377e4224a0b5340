/**
 * Calls of the gateway's operators' address: bounded in time and size, never to another host, and every refusal becomes an error with
 * the way out and an exit code.
 */
import { given } from '../domain/given.js';
import { plainUrl } from '../domain/plain-url.js';
import { parseJson } from '../process/parse-json.js';
import { CliError, exitCodes, UsageError } from './exit-codes.js';

/** Milliseconds that an answer may take, and how long a silent stream is waited for. */
const answerMs = 60_000;
/** Characters of an answer that is read as a whole. */
const longestAnswer = 20_000_000;
/** What a header can hold. */
const tokenPattern = /^[\x21-\x7e]{1,8192}$/;
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

export interface GatewayPlace {
  /** The operators' address, without a slash at its end. */
  readonly url: string;
  /** Of the context, for messages; absent: the environment names the gateway. */
  readonly context?: string;
  /** @returns the credential to show. @throws CliError where nobody is signed in any more */
  token(): Promise<string>;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  /** Milliseconds. Default: a minute. */
  readonly timeoutMs?: number;
  /** Characters of the answer. Default: 20 million. */
  readonly longest?: number;
}

export class GatewayCalls {
  constructor(private readonly place: GatewayPlace) {}

  get url(): string {
    return this.place.url;
  }

  /** @throws CliError */
  async get<Answer>(
    path: string,
    query: Query = {},
    { timeoutMs = answerMs, longest }: CallOptions = {},
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await this.send('GET', withQuery(path, query), { signal });
    return (await this.read(response, signal, longest)) as Answer;
  }

  /** @throws CliError */
  async post<Answer>(
    path: string,
    body: object = {},
    { timeoutMs = answerMs, longest, query = {} }: CallOptions & { readonly query?: Query } = {},
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await this.send('POST', withQuery(path, query), { signal, body: JSON.stringify(body) });
    return (await this.read(response, signal, longest)) as Answer;
  }

  /**
   * A change, or with `dryRun` the question whether it would be taken.
   * @returns `undefined` for a dry run
   * @throws CliError
   */
  async change<Answer>(
    path: string,
    body: object,
    { dryRun, ...options }: CallOptions & { readonly dryRun: boolean },
  ): Promise<Answer | undefined> {
    if (!dryRun) return this.post<Answer>(path, body, options);
    await this.refuseWithoutDryRuns();
    return this.post<Answer | undefined>(path, body, { ...options, query: { dryRun: true } });
  }

  /** The text of a long answer, as it comes. @throws CliError */
  async *stream(path: string, query: Query = {}): AsyncGenerator<Uint8Array> {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), answerMs);
    try {
      const response = await this.send('GET', withQuery(path, query), { signal: stop.signal, accept: '*/*' });
      if (!response.ok) throw await this.problemOf(response, stop.signal);
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        yield chunk as Uint8Array;
        timer = setTimeout(() => stop.abort(), answerMs);
      }
    } catch (error) {
      throw error instanceof CliError ? error : this.away('its answer broke off');
    } finally {
      clearTimeout(timer);
    }
  }

  /** A gateway of an earlier release would carry out what it is only asked about. */
  private async refuseWithoutDryRuns(): Promise<void> {
    const signal = AbortSignal.timeout(answerMs);
    const { status } = await this.send('GET', '/v1/me', { signal });
    // 403: the credential may not read it, and the route is there.
    if (status === 200 || status === 401 || status === 403) return;
    throw new CliError(
      `--dry-run: the gateway at ${this.url} does not know dry runs, so it was not asked. Is this the operators' address, and of this release?`,
      exitCodes.refused,
    );
  }

  private async send(
    method: 'GET' | 'POST',
    path: string,
    { signal, body, accept = 'application/json' }: { signal: AbortSignal; body?: string; accept?: string },
  ): Promise<Response> {
    const token = await this.place.token();
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        headers: {
          accept,
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...given({ body }),
        // A credential must not follow a redirect to another host.
        redirect: 'error',
        signal,
      });
    } catch {
      // Not the cause: what fetch says of a failure may hold the address with what was put into it.
      throw this.away('it does not answer');
    }
  }

  private async read(response: Response, signal: AbortSignal, longest?: number): Promise<unknown> {
    if (!response.ok) throw await this.problemOf(response, signal);
    if (response.status === 204) return undefined;
    const answer = parseJson(await this.textOf(response, longest));
    if (answer !== undefined) return answer;
    throw this.away('something else answers there');
  }

  private async textOf(response: Response, longest = longestAnswer): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        if (text.length > longest) break;
      }
    } catch {
      throw this.away('its answer broke off');
    }
    if (text.length > longest) throw this.away('its answer is too long');
    return text + decoder.decode();
  }

  private async problemOf(response: Response, signal: AbortSignal): Promise<CliError> {
    signal.throwIfAborted();
    const { status } = response;
    const { error, message } = asProblem(parseJson(await this.textOf(response)));
    if (status === 401) return this.notSignedIn(error === undefined ? undefined : message);
    if (message === undefined || error === undefined) return this.away(`it answered ${status}`);
    if (status === 403) return new CliError(message, exitCodes.notAllowed);
    if (status === 404 && error === 'not_found') {
      return new CliError(
        `The gateway at ${this.url} has no such route. Is this the operators' address (DORMOUSE_OPERATORS_LISTEN), and of this release?`,
        exitCodes.notFound,
      );
    }
    if (status === 404) return new CliError(message, exitCodes.notFound);
    if (status === 429 || status >= 500) return new CliError(message, exitCodes.unavailable);
    return new CliError(message, exitCodes.refused);
  }

  private notSignedIn(message: string | undefined): CliError {
    const { context } = this.place;
    const whose = context === undefined ? 'DORMOUSE_TOKEN' : `the context "${context}"`;
    const wayOut =
      context === undefined
        ? 'Set it to a credential that is good.'
        : `Sign in again: dormouse login --gateway ${this.url} --context ${context}`;
    const why = message === undefined ? '' : ` (${message})`;
    return new CliError(
      `The gateway at ${this.url} refuses the credential of ${whose}${why}. ${wayOut}`,
      exitCodes.notAllowed,
    );
  }

  private away(why: string): CliError {
    return new CliError(
      `The gateway at ${this.url} can't be asked: ${why}. Check the address, and that it runs; the command may be repeated.`,
      exitCodes.unavailable,
    );
  }
}

/**
 * @param option that has it, for the message
 * @param plainHttp whether plain http to another machine is taken
 * @param consent what says so, for the message
 * @returns the address without a slash at its end. @throws UsageError
 */
export function checkedGatewayUrl(
  option: string,
  text: string,
  plainHttp: boolean,
  consent = '--plain-http',
): string {
  const url = plainUrl(text);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(
      `${option}: is not the address of a gateway. Write an https URL without credentials, query or fragment, as https://dormouse-desk.example`,
    );
  }
  if (url.protocol === 'http:' && !plainHttp && !loopbackHosts.includes(url.hostname)) {
    throw new UsageError(
      `${option}: is plain http, so everybody on the way could read the credential. Write https, or ${consent} where the network itself is encrypted`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** @throws UsageError; it never repeats the text */
export function checkedToken(option: string, text: string): string {
  if (tokenPattern.test(text)) return text;
  throw new UsageError(
    `${option}: is no credential. Pass what "dormouse credentials create" printed, on one line and without blanks`,
  );
}

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** What the gateway, or whatever answered in its place, says of a refusal. */
function asProblem(answer: unknown): { error?: string; message?: string } {
  if (typeof answer !== 'object' || answer === null) return {};
  const { error, message } = answer as Record<string, unknown>;
  return {
    ...(typeof error === 'string' && { error }),
    ...(typeof message === 'string' && { message: message.slice(0, 2_000) }),
  };
}
