/** Steps that wait for an operator. Types only. */

/** A step that failed for good and waits for an operator. */
export interface Parked {
  readonly step: string;
  /** Stable error type, as `IdentityDoesNotFitSchema`. */
  readonly errorType: string;
  /** What an operator can do about it. */
  readonly wayOut: string;
  readonly since: number;
}
