/** How a page tells of an error: what people may know, and the way out. */
import { answerTo } from '../http/errors.js';
import { AlteredPolicyError, UnknownPolicyError } from '../policies/policies-table.js';
import { PolicyMovedError } from '../policies/publication.js';
import { PolicyFileError } from '../policies/yaml.js';
import { PreviewOutdatedError } from '../preview/binding.js';
import { PreviewUnderWayError } from '../preview/one-at-a-time.js';
import { UnknownPreviewError } from '../preview/previews-table.js';
import type { Problem } from './show.js';

/** Errors whose message is for operators, and their status. */
const told: readonly (readonly [new (...given: never[]) => Error, number])[] = [
  [PolicyFileError, 400],
  [UnknownPreviewError, 400],
  [UnknownPolicyError, 404],
  [AlteredPolicyError, 409],
  [PolicyMovedError, 409],
  [PreviewOutdatedError, 409],
  [PreviewUnderWayError, 503],
];

/** The status and the words of the API, under a title for people. */
export function problemOf(error: unknown): Problem {
  const known = told.find(([type]) => error instanceof type);
  // Messages of the command line name a flag; here it is a field.
  if (known !== undefined && error instanceof Error)
    return titled(known[1], error.message.replace(/^--/, ''));
  const { status, message } = answerTo(error);
  return titled(status, status === 500 ? 'The gateway failed; its log says why.' : message);
}

function titled(status: number, message: string): Problem {
  if (status === 500) return { status, title: 'Something failed', message };
  if (status === 503) return { status, title: 'Not now', message };
  return { status, title: status === 404 ? 'Not found' : 'Nothing was done', message };
}
