/** Where the stack's Kratos and Hydra call Dormouse, and how they prove who they are. */
export interface HookTarget {
  /** The gateway. */
  url: string;
  hookKey: string;
}

/** Authentication by API key as both Kratos and Hydra are configured for it. */
export function hookAuthentication({ hookKey }: HookTarget) {
  return { type: 'api_key', config: { in: 'header', name: 'x-dormouse-hook-key', value: hookKey } };
}
