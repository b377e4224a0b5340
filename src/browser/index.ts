/** `@dormouse/browser`: the idle end of a session, shown in the page (docs/idle-sessions.md). No dependencies. */
export type { PageClock } from './clock.js';
export { type IdleSession, type IdleSessionOptions, startIdleSession } from './idle-session.js';
export { presenceMessage } from './presence.js';
export type { EndReason, Texts } from './texts.js';
