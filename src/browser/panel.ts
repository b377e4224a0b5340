/**
 * The dialog: the warning with its answers, and the cover after the end. A native modal dialog in a shadow root, so that it lies above
 * the app's own modals, keeps the focus, and takes no styles of the app. Styled by parts and custom properties.
 */
import { isSpoken } from './announcements.js';
import { type Texts, timeLeft } from './texts.js';

const css = `dialog{font:var(--dormouse-font,1rem/1.5 system-ui,sans-serif);color:var(--dormouse-color,#1d2430);
background:var(--dormouse-background,#fff);max-width:28rem}
dialog::backdrop{background:#0008}.cover::backdrop{background:var(--dormouse-cover,#f3f4f6)}
button,a{font:inherit;margin:.5rem;padding:.5rem 1rem;border:1px solid;background:#fff;color:#1d4ed8}
#spoken{position:absolute;overflow:hidden;clip-path:inset(50%)}
`;

export interface PanelAnswers {
  readonly onStay: () => void;
  readonly onSignOut: () => void;
  /** Of the absolute end. */
  readonly onUnderstood: () => void;
}

type Shown = 'warning' | 'absolute' | 'cover';

/** `Reason`: why it may have ended. */
export interface Panel<Reason extends string> {
  isOpen(): boolean;
  isCover(): boolean;
  /** Says how much time is left. Called each second. @param isAbsolute nothing lengthens it */
  warn(secondsLeft: number, isAbsolute: boolean): void;
  /** Covers the page. @param signInUrl absent: no link */
  cover(reason: Reason | 'checking', signInUrl?: string): void;
  hide(): void;
}

export function createPanel<Reason extends string>(
  texts: Texts<Reason>,
  answers: PanelAnswers,
): Panel<Reason> {
  const host = document.createElement('div');
  const dialog = part('dialog', 'dialog');
  const heading = part('h2', 'title');
  const text = part('p', 'text');
  const spoken = part('div', 'spoken');
  const buttons = part('div', 'buttons');
  let shown: Shown | undefined;
  let secondsBefore: number | undefined;
  let title: string | undefined;

  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  // The page may be in another one (WCAG 3.1.2).
  dialog.lang = texts.language;
  dialog.setAttribute('aria-labelledby', 'title');
  dialog.setAttribute('aria-describedby', 'text');
  spoken.setAttribute('aria-live', 'assertive');
  dialog.append(heading, text, buttons, spoken);
  root.append(dialog);
  // Escape is an answer too: the simplest one.
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    if (shown === 'warning') answers.onStay();
    if (shown === 'absolute') answers.onUnderstood();
  });

  const focusFirst = () => buttons.querySelector<HTMLElement>('button, a')?.focus();

  /** The app opened a modal of its own, or took ours out. */
  const observer = new MutationObserver((changes) => {
    const isGone = !host.isConnected;
    const isBelow = changes.some(
      ({ target }) => target instanceof HTMLDialogElement && target.matches(':modal'),
    );
    if (!isGone && !isBelow) return;
    dialog.close();
    if (isGone) document.documentElement.append(host);
    dialog.showModal();
    focusFirst();
  });

  const open = (what: Shown, words: string) => {
    const wasOpen = shown !== undefined;
    const isCover = what === 'cover';
    shown = what;
    secondsBefore = undefined;
    heading.textContent = words;
    dialog.className = isCover ? what : '';
    dialog.setAttribute('role', isCover ? 'dialog' : 'alertdialog');
    if (document.body) document.body.style.visibility = isCover ? 'hidden' : '';
    if (wasOpen) return;
    document.documentElement.append(host);
    dialog.showModal();
    observer.observe(document, {
      subtree: true,
      childList: true,
      attributeFilter: ['open'],
    });
  };

  return {
    isOpen: () => shown !== undefined,
    isCover: () => shown === 'cover',
    warn(secondsLeft, isAbsolute) {
      const wanted: Shown = isAbsolute ? 'absolute' : 'warning';
      const words = texts[wanted](timeLeft(texts, secondsLeft));
      if (shown !== wanted) {
        open(wanted, texts.title);
        buttons.replaceChildren(
          isAbsolute
            ? part('button', 'stay', { textContent: texts.understood, onclick: answers.onUnderstood })
            : part('button', 'stay', { textContent: texts.stay, onclick: answers.onStay }),
          part('button', 'sign-out', { textContent: texts.signOut, onclick: answers.onSignOut }),
        );
        focusFirst();
      }
      text.textContent = words;
      if (isSpoken(secondsLeft, secondsBefore)) spoken.textContent = words;
      secondsBefore = secondsLeft;
      title ??= document.title;
      document.title = `(${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}) ${title}`;
    },
    cover(reason, signInUrl) {
      const words = reason === 'checking' ? '…' : texts.ended[reason];
      open('cover', words);
      text.textContent = '';
      spoken.textContent = words;
      buttons.replaceChildren();
      if (signInUrl === undefined) return;
      buttons.append(part('a', 'sign-in', { textContent: texts.signIn, href: signInUrl }));
      focusFirst();
    },
    hide() {
      if (shown === undefined) return;
      observer.disconnect();
      shown = secondsBefore = undefined;
      // Gives the focus back to where it was.
      dialog.close();
      host.remove();
      if (document.body) document.body.style.visibility = '';
      if (title !== undefined) document.title = title;
      title = undefined;
    },
  };
}

/** An element with its name as part and id. */
function part<Name extends keyof HTMLElementTagNameMap>(
  tag: Name,
  name: string,
  more: Partial<Record<'textContent' | 'href', string>> & { onclick?: () => void } = {},
): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(tag), { id: name, part: name }, more);
}
