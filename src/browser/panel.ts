/**
 * The dialog: the warning with its answers, and the cover after the end. A native modal dialog in a shadow root, so that it lies above
 * the app's own modals, keeps the focus, and takes no styles of the app. Styled by parts and custom properties.
 */
import { isSpoken } from './announcements.js';
import { type EndReason, type Texts, timeLeft } from './texts.js';

const css = `dialog{font:var(--dormouse-font,1rem/1.5 system-ui,sans-serif);color:var(--dormouse-color,#1d2430);
background:var(--dormouse-background,#fff);max-width:28rem}
dialog::backdrop{background:#0008}.cover::backdrop{background:var(--dormouse-cover,#f3f4f6)}
button,a{font:inherit;margin:.5rem;padding:.5rem 1rem;border:1px solid;background:#fff;color:#1d4ed8}
.spoken{position:absolute;overflow:hidden;clip-path:inset(50%)}
`;

export interface PanelAnswers {
  readonly onStay: () => void;
  readonly onSignOut: () => void;
  /** Of the absolute end. */
  readonly onUnderstood: () => void;
}

type Shown = 'warning' | 'absolute' | 'cover';

export class Panel {
  readonly #host = document.createElement('div');
  readonly #dialog = document.createElement('dialog');
  readonly #heading = part('h2', 'title');
  readonly #text = part('p', 'text');
  readonly #spoken = part('div', 'spoken');
  readonly #buttons = part('div', 'buttons');
  readonly #observer: MutationObserver;
  #shown: Shown | undefined;
  #secondsBefore: number | undefined;
  #title: string | undefined;

  readonly #texts: Texts;
  readonly #answers: PanelAnswers;

  constructor(texts: Texts, answers: PanelAnswers) {
    this.#texts = texts;
    this.#answers = answers;
    const [dialog, heading, text, spoken, buttons] = [
      this.#dialog,
      this.#heading,
      this.#text,
      this.#spoken,
      this.#buttons,
    ];
    const root = this.#host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    heading.id = 'title';
    text.id = 'text';
    dialog.setAttribute('part', 'dialog');
    // The page may be in another one (WCAG 3.1.2).
    dialog.lang = texts.language;
    dialog.setAttribute('aria-labelledby', 'title');
    dialog.setAttribute('aria-describedby', 'text');
    spoken.className = 'spoken';
    spoken.setAttribute('aria-live', 'assertive');
    dialog.append(heading, text, buttons, spoken);
    root.append(dialog);
    // Escape is an answer too: the simplest one.
    dialog.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      if (this.#shown === 'warning') answers.onStay();
      if (this.#shown === 'absolute') answers.onUnderstood();
    });
    this.#observer = new MutationObserver((changes) => this.#stayOnTop(changes));
  }

  get isOpen(): boolean {
    return this.#shown !== undefined;
  }

  get isCover(): boolean {
    return this.#shown === 'cover';
  }

  /** Says how much time is left. Called each second. @param isAbsolute nothing lengthens the session */
  warn(secondsLeft: number, isAbsolute: boolean): void {
    const texts = this.#texts;
    const wanted: Shown = isAbsolute ? 'absolute' : 'warning';
    const words = (isAbsolute ? texts.absolute : texts.warning)(timeLeft(texts, secondsLeft));
    if (this.#shown !== wanted) {
      this.#open(wanted, texts.title);
      this.#buttons.replaceChildren(
        isAbsolute
          ? button(texts.understood, 'stay', () => this.#answers.onUnderstood())
          : button(texts.stay, 'stay', () => this.#answers.onStay()),
        button(texts.signOut, 'sign-out', () => this.#answers.onSignOut()),
      );
      this.#focusFirst();
    }
    this.#text.textContent = words;
    if (isSpoken(secondsLeft, this.#secondsBefore)) this.#spoken.textContent = words;
    this.#secondsBefore = secondsLeft;
    this.#title ??= document.title;
    document.title = `(${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}) ${this.#title}`;
  }

  /** Covers the page. @param signInUrl absent: no link */
  cover(reason: EndReason | 'checking', signInUrl?: string): void {
    this.#open('cover', '');
    this.#heading.textContent = reason === 'checking' ? '…' : this.#texts.ended[reason];
    this.#text.textContent = '';
    this.#spoken.textContent = this.#heading.textContent;
    this.#buttons.replaceChildren();
    if (signInUrl === undefined || reason === 'checking') return;
    const link = part('a', 'sign-in');
    link.setAttribute('href', signInUrl);
    link.textContent = this.#texts.signIn;
    this.#buttons.append(link);
    this.#focusFirst();
  }

  hide(): void {
    if (this.#shown === undefined) return;
    this.#observer.disconnect();
    this.#shown = undefined;
    this.#secondsBefore = undefined;
    // Gives the focus back to where it was.
    this.#dialog.close();
    this.#host.remove();
    if (document.body) document.body.style.visibility = '';
    if (this.#title !== undefined) document.title = this.#title;
    this.#title = undefined;
  }

  #open(what: Shown, heading: string): void {
    const wasOpen = this.#shown !== undefined;
    this.#shown = what;
    this.#secondsBefore = undefined;
    this.#heading.textContent = heading;
    this.#dialog.className = what === 'cover' ? 'cover' : '';
    this.#dialog.setAttribute('role', what === 'cover' ? 'dialog' : 'alertdialog');
    if (document.body) document.body.style.visibility = what === 'cover' ? 'hidden' : '';
    if (wasOpen) return;
    document.documentElement.append(this.#host);
    this.#dialog.showModal();
    this.#observer.observe(document, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['open'],
    });
  }

  /** The app opened a modal of its own, or took ours out. */
  #stayOnTop(changes: readonly MutationRecord[]): void {
    const isGone = !this.#host.isConnected;
    const isBelow = changes.some(
      ({ target }) => target instanceof HTMLDialogElement && target.matches(':modal'),
    );
    if (!isGone && !isBelow) return;
    this.#dialog.close();
    if (isGone) document.documentElement.append(this.#host);
    this.#dialog.showModal();
    this.#focusFirst();
  }

  #focusFirst(): void {
    this.#buttons.querySelector<HTMLElement>('button, a')?.focus();
  }
}

function part<Name extends 'h2' | 'p' | 'div' | 'a' | 'button'>(
  tag: Name,
  name: string,
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(tag);
  element.setAttribute('part', name);
  return element;
}

function button(text: string, name: string, run: () => void): HTMLButtonElement {
  const element = part('button', name);
  element.type = 'button';
  element.textContent = text;
  element.addEventListener('click', run);
  return element;
}
