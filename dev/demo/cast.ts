/** The people of the demo: who they are, what they do, and what must be true of each at the end. */

import type { Stage } from '../../src/domain/rungs.js';
import type { PersonOptions } from './ory-people.js';

/** What a person does when their lifecycle reaches a stage. */
export interface Reaction {
  readonly at: Stage;
  /**
   * `sign-in`: by password, then a sign of life every few seconds. `reactivate`: an operator reactivates,
   * then a sign-in. `link`: requests a reactivation link and follows it, then signs in. `keep`: follows "Keep
   * my account" in the notice of the deactivation, and signs in when the announced date has passed.
   */
  readonly does: 'sign-in' | 'reactivate' | 'link' | 'keep';
}

export interface Role {
  readonly name: string;
  /** One line for the table. */
  readonly story: string;
  readonly person: PersonOptions;
  /**
   * `signed-in`: session and tokens from the start. `steady`: the same, with signs of life all the time.
   * `never`: created by an admin, never signed in.
   */
  readonly start: 'signed-in' | 'steady' | 'never';
  /** What an operator or admin does before the clock starts. */
  readonly before?: 'hold' | 'disable-by-hand';
  readonly reaction?: Reaction;
  readonly expected: Expected;
}

/** What must be true at the end. */
export interface Expected {
  /** The lifecycle's stage. */
  readonly stage: Stage;
  /** Kratos: gone, or present in this state. */
  readonly kratos: 'gone' | 'active' | 'inactive';
  /** Kinds of mail in the order of arrival. */
  readonly mails: readonly string[];
  /** Audit events in order. */
  readonly audit: readonly string[];
  /** Whether the session and the tokens of the first sign-in are still valid. */
  readonly firstCredentials?: 'alive' | 'dead';
  /** Whether a fresh sign-in worked. */
  readonly backIn?: true;
  /** The reason for a block that the standing must show. */
  readonly blocked?: string;
}

const untilRevoked = [
  'lifecycle_started',
  'inactivity_warned',
  'actions_suspended',
  'notice_sent',
  'tokens_revoked_stale',
];
const untilDeactivated = [...untilRevoked, 'winback_sent', 'notice_sent', 'account_deactivated'];
const untilDeleted = [...untilDeactivated, 'notice_sent', 'notice_sent', 'notice_sent', 'account_deleted'];
const mailsUntilRevoked = ['warn', 'notice-revoke', 'revoked'];
const mailsUntilDeactivated = [...mailsUntilRevoked, 'winback', 'notice-deactivate', 'deactivated'];
const mailsUntilDeleted = [...mailsUntilDeactivated, 'notice-delete', 'notice-delete', 'notice-delete'];

/** An identity that the engine must not touch: no mail sent, no session ended. */
const untouched = {
  stage: 'active',
  kratos: 'active',
  mails: [],
  audit: ['lifecycle_started'],
  firstCredentials: 'alive',
} as const satisfies Expected;

export const cast: readonly Role[] = [
  {
    name: 'absent',
    story: 'stays away until deleted',
    person: {},
    start: 'signed-in',
    expected: {
      stage: 'deleted',
      kratos: 'gone',
      mails: mailsUntilDeleted,
      audit: untilDeleted,
      firstCredentials: 'dead',
    },
  },
  {
    name: 'steady',
    story: 'is there all the time',
    person: {},
    start: 'steady',
    expected: untouched,
  },
  {
    name: 'warned',
    story: 'returns after the warning',
    person: { traits: { locale: 'de-AT' } },
    start: 'signed-in',
    reaction: { at: 'warned', does: 'sign-in' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: ['warn'],
      audit: ['lifecycle_started', 'inactivity_warned', 'returned'],
      firstCredentials: 'alive',
      backIn: true,
    },
  },
  {
    name: 'suspended',
    story: 'returns after suspension',
    person: {},
    start: 'signed-in',
    reaction: { at: 'suspended', does: 'sign-in' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: ['warn'],
      audit: ['lifecycle_started', 'inactivity_warned', 'actions_suspended', 'returned'],
      firstCredentials: 'alive',
      backIn: true,
    },
  },
  {
    name: 'revoked',
    story: 'returns after revocation: signs in, no admin needed',
    person: {},
    start: 'signed-in',
    reaction: { at: 'revoked', does: 'sign-in' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: mailsUntilRevoked,
      audit: [...untilRevoked, 'returned'],
      firstCredentials: 'dead',
      backIn: true,
    },
  },
  {
    name: 'deactivated',
    story: 'returns after deactivation: an operator reactivates',
    person: {},
    start: 'signed-in',
    reaction: { at: 'deactivated', does: 'reactivate' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: [...mailsUntilDeactivated, 'reactivated'],
      audit: [...untilDeactivated, 'account_reactivated'],
      firstCredentials: 'dead',
      backIn: true,
    },
  },
  {
    name: 'by-link',
    story: 'returns after deactivation: by a link in a mail',
    person: {},
    start: 'signed-in',
    reaction: { at: 'deactivated', does: 'link' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: [...mailsUntilDeactivated, 'reactivation', 'reactivated'],
      audit: [...untilDeactivated, 'reactivation_requested', 'account_reactivated'],
      firstCredentials: 'dead',
      backIn: true,
    },
  },
  {
    name: 'keeper',
    story: 'keeps the account by a link, returns after the announced date',
    person: {},
    start: 'signed-in',
    reaction: { at: 'revoked', does: 'keep' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: [...mailsUntilRevoked, 'winback', 'notice-deactivate'],
      audit: [...untilRevoked, 'winback_sent', 'notice_sent', 'rung_postponed', 'returned'],
      firstCredentials: 'dead',
      backIn: true,
    },
  },
  {
    name: 'admin',
    story: 'has a shorter threshold, then signs in again',
    person: { metadataAdmin: { role: 'admin' } },
    start: 'signed-in',
    reaction: { at: 'revoked', does: 'sign-in' },
    expected: {
      stage: 'active',
      kratos: 'active',
      mails: ['notice-revoke', 'revoked'],
      audit: ['lifecycle_started', 'notice_sent', 'tokens_revoked_stale', 'returned'],
      firstCredentials: 'dead',
      backIn: true,
    },
  },
  {
    name: 'service',
    story: 'is a service account: never',
    person: { metadataAdmin: { account_type: 'service' } },
    start: 'signed-in',
    expected: { ...untouched, blocked: 'exempt' },
  },
  {
    name: 'integration',
    story: 'is a trusted integration: never',
    person: { metadataAdmin: { account_type: 'trusted_integration' } },
    start: 'signed-in',
    expected: { ...untouched, blocked: 'exempt' },
  },
  {
    name: 'opted-out',
    story: 'was opted out by an admin',
    person: { metadataAdmin: { skip_stale_revocation: true } },
    start: 'signed-in',
    expected: { ...untouched, blocked: 'exempt' },
  },
  {
    name: 'on-hold',
    story: 'is on leave: a hold',
    person: {},
    start: 'signed-in',
    before: 'hold',
    expected: { ...untouched, audit: ['lifecycle_started', 'hold_set'], blocked: 'hold' },
  },
  {
    name: 'no-address',
    story: 'has no mail address: signed out, never deleted',
    person: { hasAddress: false },
    start: 'signed-in',
    expected: {
      stage: 'revoked',
      kratos: 'active',
      mails: [],
      audit: [
        'lifecycle_started',
        'inactivity_warned',
        'actions_suspended',
        'notice_failed',
        'tokens_revoked_stale',
        'winback_sent',
        'notice_failed',
      ],
      firstCredentials: 'dead',
      blocked: 'no-notice',
    },
  },
  {
    name: 'never-seen',
    story: 'never signed in: the clock starts at creation',
    person: {},
    start: 'never',
    expected: { stage: 'deleted', kratos: 'gone', mails: mailsUntilDeleted, audit: untilDeleted },
  },
  {
    name: 'by-hand',
    story: 'was disabled by hand: left alone',
    person: {},
    start: 'never',
    before: 'disable-by-hand',
    expected: {
      stage: 'active',
      kratos: 'inactive',
      mails: [],
      audit: ['lifecycle_started'],
      blocked: 'disabled-by-admin',
    },
  },
];
