/** Ends WebSockets with their session: nobody asks for a socket that is open already. */
import type { IncomingHttpHeaders } from 'node:http';
import type { SessionGuard } from './guard.js';

/** Of `ws`, and of whatever closes like it. */
export interface ClosableSocket {
  close(code: number, reason: string): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Policy violation (RFC 6455, section 7.4.1). */
const policyViolation = 1008;
/** A timer may wait for 2^31 - 1 ms at most. Shorter, because the policy can change. */
const longestWaitMs = 60_000;

export interface WatchedSocket {
  /** A frame that a person caused: renews. Never call it for pings and for what a timer sends. */
  renew(): Promise<void>;
}

/**
 * Closes the socket with 1008 when the session of its handshake ends, however it ends, and at once where there is none. While nothing can
 * be judged, the socket stays open until the session's last known end.
 * @param path the path whose limits count
 */
export function watchSocket(
  guard: SessionGuard,
  socket: ClosableSocket,
  handshake: { readonly headers: IncomingHttpHeaders; readonly path: string },
): WatchedSocket {
  const { headers, path } = handshake;
  let sessionId: string | undefined;
  let endsAt = guard.clock();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  const stop = () => {
    isOver = true;
    clearTimeout(timer);
    forgetEnd();
  };
  const end = (reason: string) => {
    if (isOver) return;
    stop();
    socket.close(policyViolation, reason);
  };
  const look = async (renews: boolean) => {
    if (isOver) return;
    clearTimeout(timer);
    const decision = await guard.decide({
      headers,
      path,
      ...(renews && { presence: { kind: 'person' as const } }),
    });
    if (isOver) return;
    if (decision.kind === 'live') {
      const { verdict } = decision.session;
      sessionId = decision.session.sessionId;
      endsAt = Math.min(verdict.absoluteEndsAt, verdict.idleEndsAt ?? Number.POSITIVE_INFINITY);
    } else if (decision.kind !== 'unavailable' || guard.clock() >= endsAt) {
      end(decision.kind === 'ended' ? `session_ended: ${decision.end.reason}` : 'no_session');
      return;
    }
    const wait = Math.min(longestWaitMs, Math.max(50, endsAt - guard.clock()));
    timer = setTimeout(() => void look(false), wait).unref();
  };
  const forgetEnd = guard.onEnd((ended) => {
    if (ended === sessionId) void look(false);
  });
  socket.once('close', stop);
  void look(false);
  return { renew: () => look(true) };
}
