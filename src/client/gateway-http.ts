/** Calls the gateway: bounded in time and size, and every problem becomes an error that says who must act. */
import { given } from '../domain/given.js';
import { plainUrl } from '../domain/plain-url.js';
import type { TraceContext } from '../domain/trace-context.js';
import {
  DormouseUnavailableError,
  InvalidRequestError,
  NotAuthorizedError,
  NotEnrolledError,
} from '../process/caller-errors.js';
import { parseJson } from '../process/parse-json.js';
import { withEpochTimes } from './wire-times.js';

export interface GatewayAddress {
  readonly url: string;
  readonly token: string;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'POST';
  /** Below the gateway's address, with its query. */
  readonly path: string;
  readonly body?: string;
  /** Of the body. Default: JSON. */
  readonly contentType?: string;
  readonly timeoutMs: number;
}

/** Characters of an answer that are read at most: a page of the work list has the longest. */
const longestAnswer = 4_000_000;
/** What a header can hold. */
const tokenPattern = /^[\x21-\x7e]{1,1000}$/;

export class GatewayHttp {
  private readonly base: string;

  /** @throws InvalidRequestError */
  constructor(
    private readonly gateway: GatewayAddress,
    private readonly readTrace: () => TraceContext | undefined = () => undefined,
  ) {
    this.base = checkedUrl(gateway.url);
    if (typeof gateway.token !== 'string' || !tokenPattern.test(gateway.token)) {
      throw new InvalidRequestError(
        'gateway.token: is not a service token. Pass one of the values of DORMOUSE_SERVICE_TOKENS',
      );
    }
  }

  /** @throws DormouseUnavailableError, InvalidRequestError, NotEnrolledError, NotAuthorizedError */
  async ask<Answer>(request: GatewayRequest): Promise<Answer> {
    const { status, text } = await this.send(request);
    const answer = parseJson(text);
    if (status >= 200 && status < 300 && answer !== undefined) return readable<Answer>(answer);
    throw problemOf(status, answer);
  }

  private async send(request: GatewayRequest): Promise<{ status: number; text: string }> {
    const { method, path, body, contentType = 'application/json', timeoutMs } = request;
    try {
      const response = await fetch(`${this.base}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${this.gateway.token}`,
          ...this.traceHeaders(),
          ...(body !== undefined && { 'content-type': contentType }),
        },
        ...(body !== undefined && { body }),
        // A token must not follow a redirect to another host.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, text: await readBounded(response) };
    } catch {
      // Not the cause: what fetch says of a failure may hold the address with what was put into it.
      throw new DormouseUnavailableError('The gateway');
    }
  }

  private traceHeaders(): Record<string, string> {
    const { traceparent, tracestate } = this.readTrace() ?? {};
    return given({ traceparent, tracestate }) as Record<string, string>;
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > longestAnswer) throw new Error('the answer is too long');
  }
  return text + decoder.decode();
}

/** @param answer as the gateway, or whatever answered in its place, gave it */
function problemOf(status: number, answer: unknown): Error {
  const { error, message } = asProblem(answer);
  if (status === 401 || status === 403) return new NotAuthorizedError();
  if (status === 404 && error === 'not_enrolled') return new NotEnrolledError();
  if (status === 400 && message !== undefined) return new InvalidRequestError(message);
  // Everything else, a page of a proxy included, says nothing of the request.
  return new DormouseUnavailableError('The gateway');
}

function asProblem(answer: unknown): { error?: string; message?: string } {
  if (typeof answer !== 'object' || answer === null) return {};
  const { error, message } = answer as Record<string, unknown>;
  return {
    ...(typeof error === 'string' && { error }),
    ...(typeof message === 'string' && { message }),
  };
}

function checkedUrl(text: unknown): string {
  const url = typeof text === 'string' ? plainUrl(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidRequestError(
      'gateway.url: is not the address of a gateway. Pass an http or https URL without credentials, query or fragment, as https://dormouse.example',
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** @throws DormouseUnavailableError where a time in it can't be read: it must not pass for none */
function readable<Answer>(answer: unknown): Answer {
  try {
    return withEpochTimes(answer) as Answer;
  } catch (cause) {
    throw new DormouseUnavailableError('The gateway', { cause });
  }
}
