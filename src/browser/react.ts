/** The library for React. */
import { useEffect, useRef } from 'react';
import { type IdleSession, type IdleSessionOptions, startIdleSession } from './idle-session.js';

/**
 * Runs while the component is mounted.
 * @param options as of the first render, but for callbacks, of which the latest are called
 * @returns a holder of the session, empty before the first effect: `session.current?.signOut()`
 */
export function useIdleSession(options: IdleSessionOptions = {}): {
  readonly current: IdleSession | undefined;
} {
  const latest = useRef(options);
  const session = useRef<IdleSession | undefined>(undefined);
  latest.current = options;
  useEffect(() => {
    const first = latest.current;
    const running = startIdleSession({
      ...first,
      onBeforeSignOut: (reason) => latest.current.onBeforeSignOut?.(reason),
      onEnd: (reason) => latest.current.onEnd?.(reason),
      ...(first.path && { path: () => latest.current.path?.() ?? location.pathname }),
    });
    session.current = running;
    return () => {
      session.current = undefined;
      running.stop();
    };
  }, []);
  return session;
}

/** Runs while it is mounted, and renders nothing. */
export function IdleSessionGuard(options: IdleSessionOptions): null {
  useIdleSession(options);
  return null;
}
