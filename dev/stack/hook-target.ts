/** Where the stack's Kratos or Hydra calls Dormouse, and how it proves who it is. */
export interface HookTarget {
  /** The gateway. */
  url: string;
  /** The API key of the one who calls. */
  key: string;
}

/** Authentication by API key as both Kratos and Hydra are configured for it. */
export function hookAuthentication({ key }: HookTarget) {
  return { type: 'api_key', config: { in: 'header', name: 'x-dormouse-hook-key', value: key } };
}
