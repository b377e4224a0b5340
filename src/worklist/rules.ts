/**
 * The work list: everything that waits for a person's decision, each with its reason and the way out. Pure.
 */
import { assertUnreachable } from '../domain/assert.js';
import { dayMs } from '../domain/duration.js';

export const workKinds = [
  /** A step failed for good. */
  'parked',
  /** A rung waits because no notice of it could be delivered: no address, refused, bounced, skipped. */
  'no-notice',
  /** Kratos no longer knows it. What is known of it is kept until that is certain. */
  'missing',
  'breaker-tripped',
  /** The text of a policy in the database differs from the published one. It is never used. */
  'policy-altered',
  /** A release of the breaker that another operator has to approve. */
  'release-pending',
  /** An exemption whose review is overdue; it stays in force. */
  'exemption-review',
  /** A policy's exclusion without an owner. */
  'exemption-without-owner',
  'hold-ends',
  /** An operator decided not to delete it in this absence, so nothing else ever happens to it. */
  'deletion-skipped',
  /** Disabled in Kratos by hand for long: the ladder neither continues nor deletes it. */
  'disabled-by-admin',
  /** Trouble that stopped nothing, such as `metadata-not-published`. */
  'warning',
] as const;
export type WorkKind = (typeof workKinds)[number];

export interface WorkItem {
  readonly kind: WorkKind;
  /** Absent for items that concern the installation. */
  readonly identityId?: string;
  /** Epoch milliseconds; absent where it is not known. */
  readonly since?: number;
  /** The step or the trip that it is about: short and stable. */
  readonly subject: string;
  readonly why: string;
  readonly wayOut: string;
  /** The owner, where there is one. */
  readonly owner?: string;
  /** When it will happen or was due, epoch milliseconds. */
  readonly dueAt?: number;
}

export interface WorklistLimits {
  /** Holds that end within this time are shown. Milliseconds. */
  readonly holdEndsWithinMs: number;
  /** Identities disabled by hand for longer are shown. Milliseconds. */
  readonly disabledForMs: number;
}

export const defaultWorklistLimits: WorklistLimits = {
  holdEndsWithinMs: 14 * dayMs,
  disabledForMs: 90 * dayMs,
};

/** @returns what can be done about an item of this kind. A parked step's own error has better advice */
export function wayOutOfWork(kind: WorkKind): string {
  switch (kind) {
    case 'parked':
      return 'Mend the cause, then: dormouse parked retry. Or decide that it is not to be done: dormouse parked skip.';
    case 'no-notice':
      return 'Look at what the servers said (dormouse mails ID). Give the identity an address that works, or mend the way of the mails; the notice is tried again by itself. Or exempt it, or hold it.';
    case 'missing':
      return 'Deleted on purpose: nothing, it is forgotten after the grace period, or at once with dormouse missing confirm --now. Otherwise bring it back in Kratos, or check DORMOUSE_KRATOS_ADMIN_URL.';
    case 'breaker-tripped':
      return 'Look who waits (dormouse breaker waiting), then release it: dormouse breaker release.';
    case 'policy-altered':
      return 'Find out who wrote to the table "policy", then publish the right text: dormouse policy publish FILE --reason REASON. Then: dormouse parked retry --error PolicyAltered.';
    case 'release-pending':
      return 'Another operator agrees (dormouse breaker approve), or nobody does, and it stays without effect.';
    case 'exemption-review':
      return 'Ask its owner. Still right: dormouse exemptions review. No longer: dormouse exemptions end. In a policy: publish it with a later reviewAt, or without it.';
    case 'exemption-without-owner':
      return 'Publish the policy with an owner and a reviewAt for it, or without it.';
    case 'hold-ends':
      return 'Nothing, where that is right: notices begin anew then. Otherwise hold it again: dormouse hold.';
    case 'deletion-skipped':
      return 'Nothing, where that is right. To have it deleted, delete it in Kratos: the lifecycle ends with it. To give it back: dormouse reactivate.';
    case 'disabled-by-admin':
      return 'Whoever disabled it decides: enable it in Kratos, so that the ladder applies again, or delete it there.';
    case 'warning':
      return 'metadata-not-understood: write account_type and role as one word, groups as a list of words, skip_stale_revocation as true or false. metadata-not-published: make the identity fit its schema. disablement-not-confirmed: the engine did not see the answer when it disabled the identity; the person can’t return by themselves, you can (reactivate). suspended-without-warning: a mail server on the way sent the warning back after the suspension; tell the person, and find out by the mail’s code what the server wants. mail-…: the person was not told; give it an address that works.';
    default:
      return assertUnreachable(kind);
  }
}
