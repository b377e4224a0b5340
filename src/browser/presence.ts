/** Notices real input: of this page, its frames of the same origin, and frames of origins that the app names. */

const inputs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'input'];

/** The message by which a frame of another origin reports input. */
export const presenceMessage = 'dormouse:presence';

/**
 * @param origins of frames that may report input
 * @param onInput called often
 * @param signal ends the watch
 */
export function watchInput(origins: readonly string[], onInput: () => void, signal: AbortSignal): void {
  const watched = new WeakSet<Document>();
  const watch = (where: Document) => {
    if (watched.has(where)) return;
    watched.add(where);
    // A frame that is added or navigates has a document of its own. "load" does not bubble, but is captured.
    for (const type of ['load', ...inputs]) {
      where.addEventListener(type, hear, { capture: true, passive: true, signal });
    }
    for (const frame of where.querySelectorAll('iframe')) watchFrame(frame);
  };
  const watchFrame = ({ contentDocument }: HTMLIFrameElement) => {
    // `null`: of another origin.
    if (contentDocument) watch(contentDocument);
  };
  const hear = ({ type, isTrusted, target }: Event) => {
    if (type === 'load') watchFrame(target as HTMLIFrameElement);
    // What a script dispatches is nobody's presence.
    else if (isTrusted) onInput();
  };
  const told = ({ origin, data }: MessageEvent) => {
    if (origins.includes(origin) && data?.type === presenceMessage) onInput();
  };
  addEventListener('message', told, { signal });
  watch(document);
}
