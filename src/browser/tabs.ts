/** Tells the other tabs of this origin. What comes in is never sent on. */

export type TabMessage =
  /** A renewal, as the server answered: epoch milliseconds of the server. */
  { readonly type: 'present'; readonly at: number } | { readonly type: 'signed-out' };

export interface Tabs {
  send(message: TabMessage): void;
  close(): void;
}

/**
 * By BroadcastChannel; else by the storage event; else this tab works alone.
 * @param name differs for two apps of one origin
 */
export function openTabs(name: string, onMessage: (message: TabMessage) => void): Tabs {
  if (typeof BroadcastChannel === 'function') {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => receive(data, onMessage);
    return { send: (message) => channel.postMessage(message), close: () => channel.close() };
  }
  const hear = ({ key, newValue }: StorageEvent) => {
    if (key !== name || newValue === null) return;
    try {
      receive(JSON.parse(newValue), onMessage);
    } catch {
      // Not ours.
    }
  };
  addEventListener('storage', hear);
  return {
    send(message) {
      try {
        // A value of its own each time: the same value twice is no event.
        localStorage.setItem(name, JSON.stringify({ ...message, nonce: Math.random() }));
      } catch {
        // Storage is full or forbidden: the other tabs ask the server when their time is up.
      }
    },
    close: () => removeEventListener('storage', hear),
  };
}

function receive(data: unknown, onMessage: (message: TabMessage) => void): void {
  if (typeof data !== 'object' || data === null || !('type' in data)) return;
  if (data.type === 'signed-out') onMessage({ type: 'signed-out' });
  if (data.type === 'present' && 'at' in data && typeof data.at === 'number' && Number.isFinite(data.at)) {
    onMessage({ type: 'present', at: data.at });
  }
}
