/** A policy version by reference. */
export interface PolicyReference {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the policy's text, hex. */
  readonly hash: string;
}
