/** The embedded stack, for `npm start`, the demo and the tests. */
export { describeDeath, StackError } from './errors.js';
export { readRunningStack } from './info-file.js';
export { describeAddresses } from './stack-home.js';
export { startStack } from './start-stack.js';
export type { PartDied, RunningStack, StackInfo, StartStackOptions } from './types.js';
