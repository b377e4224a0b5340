/** Tells the other tabs of this origin. What comes in is never sent on. */

export type TabMessage =
  /** A renewal, as the server answered: epoch milliseconds of the server. */
  { readonly type: 'present'; readonly at: number } | { readonly type: 'signed-out' };

export interface Tabs {
  send(message: TabMessage): void;
}

/**
 * By BroadcastChannel; else by the storage event; else this tab works alone.
 * @param name differs for two apps of one origin
 * @param signal ends it
 */
export function openTabs(name: string, onMessage: (message: TabMessage) => void, signal: AbortSignal): Tabs {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => receive(data, onMessage);
    signal.addEventListener('abort', () => channel.close());
    return { send: (message) => channel.postMessage(message) };
  } catch {
    // Not there, or forbidden.
  }
  const hear = ({ key, newValue }: StorageEvent) => {
    if (key !== name || newValue === null) return;
    try {
      receive(JSON.parse(newValue), onMessage);
    } catch {
      // Not ours.
    }
  };
  addEventListener('storage', hear, { signal });
  return {
    send(message) {
      try {
        // A value of its own each time: the same value twice is no event.
        localStorage.setItem(name, JSON.stringify({ ...message, nonce: Math.random() }));
      } catch {
        // Storage is full or forbidden: the other tabs ask the server when their time is up.
      }
    },
  };
}

function receive(
  data: Partial<{ type: unknown; at: unknown }> | null,
  onMessage: (message: TabMessage) => void,
): void {
  if (data?.type === 'signed-out') onMessage({ type: 'signed-out' });
  if (data?.type === 'present' && Number.isFinite(data.at))
    onMessage({ type: 'present', at: Number(data.at) });
}
