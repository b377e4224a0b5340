/** What the guard is asked, and what it answers. */
import type { IncomingHttpHeaders } from 'node:http';
import type { EffectiveLimits } from '../../domain/sessions/limits.js';
import type { DeviceClass, SessionsPolicy, StepUpRule } from '../../domain/sessions/policy.js';
import type { EndedVerdict } from '../../domain/sessions/verdict.js';
import type { GuardedSession, RequestRules } from './options.js';

export interface Question {
  readonly headers: IncomingHttpHeaders;
  /** The path that is asked for, or where the person is. */
  readonly path: string;
  /** What the request says of the person. Absent: nothing, so it renews nothing. */
  readonly presence?:
    | {
        /** `request`: presence where the policy says `renewal: requests`. */
        readonly kind: 'person' | 'lease' | 'request';
        readonly agoMs?: number;
      }
    | undefined;
  /** What the code of the route asks of the sign-in, besides the policy. */
  readonly stepUp?: StepUpRule | undefined;
  readonly whenUnavailable?: RequestRules['whenUnavailable'] | undefined;
  /** The plugin's own routes ask for no step-up of the policy's, and never open. */
  readonly isOwnRoute?: true;
}

export interface Live {
  readonly kind: 'live';
  readonly session: GuardedSession;
  readonly policy: SessionsPolicy;
  readonly limits: EffectiveLimits;
  /** Of the sign-in. */
  readonly devices: readonly DeviceClass[];
  /** The person's own choice, milliseconds. */
  readonly choiceMs: number | undefined;
}

export type Decision =
  | Live
  | { readonly kind: 'step-up'; readonly session: GuardedSession; readonly missing: StepUpRule }
  | { readonly kind: 'ended'; readonly end: Omit<EndedVerdict, 'state'> }
  | { readonly kind: 'none' }
  /** A long operation went on for too long without the person. */
  | { readonly kind: 'lease-exhausted'; readonly session: GuardedSession }
  | { readonly kind: 'unavailable'; readonly system: string; readonly opens: boolean };
