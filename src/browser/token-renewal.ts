/** The next token for a live sign-in: whether to ask for it, one question at a time. */
import type { Timeline } from './timeline.js';

/** Milliseconds between two questions, whatever comes of them. */
const pauseMs = 5_000;

export interface TokenRenewalParts {
  readonly timeline: Timeline;
  /** @returns the next token; `undefined`: it is refused. @throws where nothing was decided */
  readonly renew: (token: string) => Promise<string | undefined>;
}

export interface TokenRenewal {
  /** Of a new sign-in. @param isPossible whether there is anything to ask */
  begin(isPossible: boolean): void;
  /** Whether a question is under way, or is worth it now. */
  isWorthwhile(): boolean;
  /** @returns `undefined`: none */
  next(token: string): Promise<string | undefined>;
  /** @param isLater whether the token ends later than the one before */
  settled(isLater: boolean): void;
}

export function startTokenRenewal({ timeline, renew }: TokenRenewalParts): TokenRenewal {
  let isPossible = false;
  let notBefore = Number.NEGATIVE_INFINITY;
  let asking: Promise<string | undefined> | undefined;
  /** Where nothing was decided, it is tried again. */
  let isDecided = false;

  const ask = async (token: string) => {
    isDecided = false;
    try {
      const next = await renew(token);
      isDecided = true;
      return next;
    } catch {
      return undefined;
    } finally {
      notBefore = timeline() + pauseMs;
      asking = undefined;
    }
  };
  return {
    begin(possible) {
      isPossible = possible;
      notBefore = Number.NEGATIVE_INFINITY;
    },
    isWorthwhile: () => asking !== undefined || (isPossible && timeline() >= notBefore),
    next: (token) => {
      asking ??= ask(token);
      return asking;
    },
    settled(isLater) {
      // One that was refused, or that ends no later, would be asked for on and on.
      if (isDecided && !isLater) isPossible = false;
    },
  };
}
