/** The workflows that the worker registers. */

export { deliverSignals } from './deliver-signals.js';
export { endIdleSessions } from './end-idle-sessions.js';
export { endPersonalTokens } from './end-personal-tokens.js';
export { endSourcedTokens } from './end-sourced-tokens.js';
export { identityLifecycle } from './identity-lifecycle.js';
export { mailMonthReports } from './mail-month-reports.js';
export { policyRollout } from './policy-rollout.js';
export { pollActivitySource } from './poll-source.js';
export { reconcile } from './reconcile.js';
export { sweepRefreshTokens } from './sweep-refresh-tokens.js';
