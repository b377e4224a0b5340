/** What every page of the desk is made with. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import type { DirectDormouse } from '../client/direct-types.js';
import type { Unverified } from '../domain/mail-choices.js';
import type { SessionLimits } from '../principals/operator-sessions-table.js';
import type { SignIn } from '../principals/sign-in.js';
import type { Clock } from '../process/clock.js';
import type { RolloutPlaceOfWork } from '../rollout/start.js';
import type { Cookies } from './cookies.js';

export interface DeskOptions {
  /** Of Dormouse's database, for operators: its statements may take some seconds. */
  readonly pool: pg.Pool;
  /** DORMOUSE_DESK_URL: where operators' browsers reach the desk, without a path. */
  readonly url: string;
  readonly signIn: SignIn;
  readonly productName: string;
  /** Kratos, for addresses and previews. Absent: neither is offered. */
  readonly identities?: IdentityApi;
  /** Which addresses nobody confirmed get mails, as the workers have it: for previews. */
  readonly unverified?: Unverified;
  /** The Temporal UI, and the namespace in it. Absent: nothing links there. */
  readonly temporalUi?: { readonly url: string; readonly namespace: string };
  /** Temporal, for roll-outs and many retries at once. Absent: neither is offered. */
  readonly rollouts?: RolloutPlaceOfWork;
  /** Default: those of the table's room. */
  readonly limits?: SessionLimits;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface DeskContext extends Omit<DeskOptions, 'clock'> {
  readonly dormouse: DirectDormouse;
  readonly clock: Clock;
  readonly cookies: Cookies;
  /** Of the desk's URL. */
  readonly origin: string;
}
