/** The library as a web component: `<dormouse-idle-session base="/session" sign-in-url="/login"></dormouse-idle-session>`. */
import { type IdleSession, type IdleSessionOptions, startIdleSession } from './idle-session.js';

/**
 * Defines the element. It runs while it is in the page, shows nothing of its own, and sends `idle-session-end` with the reason in
 * `detail`. Attributes: `base`, `app`, `sign-in-url`. Property `session`.
 * @param options of every such element; attributes come first
 */
export function defineIdleSessionElement(
  name = 'dormouse-idle-session',
  options: IdleSessionOptions = {},
): CustomElementConstructor {
  const known = customElements.get(name);
  if (known !== undefined) return known;
  class IdleSessionElement extends HTMLElement {
    session: IdleSession | undefined;

    connectedCallback(): void {
      const [base, app, signInUrl] = ['base', 'app', 'sign-in-url'].map((attribute) =>
        this.getAttribute(attribute),
      );
      this.session = startIdleSession({
        ...options,
        ...(base && { base }),
        ...(app && { app }),
        ...(signInUrl && { signInUrl }),
        onEnd: (reason) => {
          options.onEnd?.(reason);
          this.dispatchEvent(new CustomEvent('idle-session-end', { detail: reason }));
        },
      });
    }

    disconnectedCallback(): void {
      this.session?.stop();
      this.session = undefined;
    }
  }
  customElements.define(name, IdleSessionElement);
  return IdleSessionElement;
}
