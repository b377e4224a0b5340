/** When the credentials of an identity end for inactivity, by type. Types only: a client carries them. */

/** The credentials of one type under one published policy. */
export interface CredentialStanding {
  /** `session`: web sessions, with Hydra's consents; the rung `revoke` ends them. */
  readonly kind: 'session' | 'refresh' | 'personal';
  /** Of personal access tokens: their type in the policy. */
  readonly type?: string;
  readonly policyId: string;
  /** How long one may be unused, milliseconds; `null`: it never ends for inactivity. */
  readonly inactiveMs: number | null;
  /** Absent for sessions: Kratos has them. */
  readonly live?: number;
  /** When the first of them ends if nobody uses it and nobody shows up, epoch milliseconds. Absent: none does. */
  readonly nextEndAt?: number;
}
