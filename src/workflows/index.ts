/** What the worker registers. */
export { identityLifecycle } from './identity-lifecycle.js';
