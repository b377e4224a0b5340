/** The address and credential with which the stack's Kratos or Hydra calls Dormouse. */
export interface HookTarget {
  /** The gateway. */
  url: string;
  /** The caller's API key. */
  key: string;
}

/** API key authentication in the format that both Kratos and Hydra use. */
export function hookAuthentication({ key }: HookTarget) {
  return { type: 'api_key', config: { in: 'header', name: 'x-dormouse-hook-key', value: key } };
}
