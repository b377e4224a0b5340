/** Checks callers' input before it is used. Errors name the field, the problem and the way out. */
import { opaqueNamePattern, policyIdPattern, requestIdForm, requestIdPattern } from '../domain/names.js';
import { clampToNow, type SignOfLife, signKinds } from '../domain/sign-of-life.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import type { ActivityReport } from './types.js';

/** An earlier time is a mistake: seconds given as milliseconds. */
const earliestAt = Date.UTC(2000, 0, 1);

/** @throws InvalidRequestError */
export function updateId(requestId: string | undefined): { updateId?: string } {
  if (requestId === undefined) return {};
  if (!requestIdPattern.test(requestId)) {
    throw new InvalidRequestError(`requestId: ${requestIdForm}`);
  }
  return { updateId: requestId };
}

export function checkedPolicyId(policyId: string | undefined): string | undefined {
  if (policyId === undefined || policyIdPattern.test(policyId)) return policyId;
  throw new InvalidRequestError(
    'policyId: is not the id of a policy. Pass the id from the policy file, as "default"',
  );
}

export function checkedSign(report: ActivityReport): SignOfLife {
  const kind = report.kind ?? 'human';
  if (!signKinds.includes(kind)) {
    throw new InvalidRequestError(`kind: is not a kind of sign of life. Pass one of ${signKinds.join(', ')}`);
  }
  const source = report.source ?? 'app';
  if (!opaqueNamePattern.test(source)) {
    throw new InvalidRequestError(
      'source: takes a short name of letters, digits and . _ : / -, without personal data',
    );
  }
  return { at: report.at === undefined ? Date.now() : checkedTime('at', report.at), kind, source };
}

/** @returns epoch milliseconds, never in the future */
export function checkedTime(field: string, time: Date | number): number {
  const at = Number(time);
  if (!Number.isFinite(at)) {
    throw new InvalidRequestError(`${field}: is not a time. Pass a Date or epoch milliseconds`);
  }
  if (at < earliestAt) {
    throw new InvalidRequestError(`${field}: is before the year 2000. Pass epoch milliseconds, not seconds`);
  }
  return clampToNow(Math.round(at), Date.now());
}
