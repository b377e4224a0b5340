/** Notices real input: of this page, its frames of the same origin, and frames of origins that the app names. */

const inputs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'input'];

/** The message by which a frame of another origin reports input. */
export const presenceMessage = 'dormouse:presence';

/**
 * @param origins of frames that may report input
 * @param onInput called often
 * @returns a function that stops
 */
export function watchInput(origins: readonly string[], onInput: () => void): () => void {
  const stops: (() => void)[] = [];
  const watched = new WeakSet<Document>();
  // What a script dispatches is nobody's presence.
  const hear = (event: Event) => {
    if (event.isTrusted) onInput();
  };
  const watch = (where: Document) => {
    if (watched.has(where)) return;
    watched.add(where);
    for (const type of inputs) where.addEventListener(type, hear, { capture: true, passive: true });
    stops.push(() => {
      for (const type of inputs) where.removeEventListener(type, hear, { capture: true });
    });
    for (const frame of where.querySelectorAll('iframe')) watchFrame(frame);
  };
  const watchFrame = (frame: HTMLIFrameElement) => {
    try {
      if (frame.contentDocument) watch(frame.contentDocument);
    } catch {
      // Of another origin.
    }
  };
  // A frame that is added or navigates has a document of its own. "load" does not bubble, but is captured.
  const loaded = ({ target }: Event) => {
    if (target instanceof HTMLIFrameElement) watchFrame(target);
  };
  document.addEventListener('load', loaded, true);
  const told = ({ origin, data }: MessageEvent) => {
    if (origins.includes(origin) && data?.type === presenceMessage) onInput();
  };
  addEventListener('message', told);
  watch(document);
  stops.push(
    () => document.removeEventListener('load', loaded, true),
    () => removeEventListener('message', told),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
