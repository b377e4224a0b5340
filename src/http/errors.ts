/** The gateway's error answers: what callers may know, and no more. */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ZodError } from 'zod';
import {
  DormouseUnavailableError,
  InvalidIdentityIdError,
  InvalidRequestError,
  NotEnrolledError,
} from '../client.js';

interface Answer {
  readonly status: number;
  readonly error: string;
  readonly message: string;
}

/** Each problem with its field. */
export function problemsOf(error: ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}

const fieldOf = (instancePath: string) => instancePath.slice(1).replaceAll('/', '.') || 'body';

/** What a caller may know of an error. */
export function answerTo(error: unknown): Answer {
  if (error instanceof ZodError) {
    return { status: 400, error: 'invalid_request', message: problemsOf(error) };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const message = error.validation
      .map(({ instancePath, message }) => `${fieldOf(instancePath)}: ${message ?? 'is wrong'}`)
      .join('; ');
    return { status: 400, error: 'invalid_request', message };
  }
  if (error instanceof InvalidIdentityIdError || error instanceof InvalidRequestError) {
    return { status: 400, error: 'invalid_request', message: error.message };
  }
  if (isUnstorable(error)) {
    const message = 'a text holds a character that can not be stored (NUL, or half of a surrogate pair)';
    return { status: 400, error: 'invalid_request', message };
  }
  if (error instanceof NotEnrolledError)
    return { status: 404, error: 'not_enrolled', message: error.message };
  if (error instanceof DormouseUnavailableError) {
    return { status: 503, error: 'temporarily_unavailable', message: error.message };
  }
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    return { status, error: 'invalid_request', message: error instanceof Error ? error.message : 'refused' };
  }
  return { status: 500, error: 'server_error', message: 'The gateway failed; its log says why.' };
}

/** PostgreSQL takes no such text, also where it is only looked for: 22021 of a text, 22P05 of JSON. */
function isUnstorable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '22021' || error.code === '22P05');
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/**
 * Every error of a route becomes JSON with `error` and `message`. Details of
 * unexpected errors go to the log only.
 */
export function handleErrors(server: FastifyInstance): void {
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, ...body } = answerTo(error);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    if (status === 503) reply.header('retry-after', '5');
    return reply.code(status).send(body);
  });
  server.setNotFoundHandler((_request, reply) => answerNotFound(reply));
}

/** The answer to a route that there is not, or not at this address. */
export function answerNotFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not_found', message: 'There is no such route.' });
}
