/** All guards that `npm run test:mutations` takes out, one after the other. */
import { absenceGuards } from './absence-guards.js';
import { accessTokenGuards } from './access-token-guards.js';
import { auditGuards } from './audit-guards.js';
import { breakerGuards } from './breaker-guards.js';
import { checkerGuards } from './checker-guards.js';
import { deskGuards } from './desk-guards.js';
import { faultGuards } from './fault-guards.js';
import type { Guard } from './guard.js';
import { noticeGuards } from './notice-guards.js';
import { observabilityGuards } from './observability-guards.js';
import { personalTokenGuards } from './personal-token-guards.js';
import { policyGuards } from './policy-guards.js';
import { principalGuards } from './principal-guards.js';
import { refreshGuards } from './refresh-guards.js';
import { sessionGuards } from './session-guards.js';
import { systemGuards } from './system-guards.js';
import { unitGuards } from './unit-guards.js';

export const guards: readonly Guard[] = [
  ...unitGuards,
  ...sessionGuards,
  ...accessTokenGuards,
  ...personalTokenGuards,
  ...refreshGuards,
  ...systemGuards,
  ...noticeGuards,
  ...breakerGuards,
  ...absenceGuards,
  ...auditGuards,
  ...checkerGuards,
  ...faultGuards,
  ...policyGuards,
  ...principalGuards,
  ...deskGuards,
  ...observabilityGuards,
];
