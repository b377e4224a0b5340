/** The section `sessions` of the policy, as the guard reads it. */
import { checkSessions } from '../../domain/sessions/checks.js';
import { type SessionsPolicy, sessionsSection } from '../../domain/sessions/policy.js';
import type { PolicySection, PolicySource, SectionInForce } from '../policy-source.js';
import type { SessionsFields } from './options.js';

export const sessionsOfPolicy: PolicySection<SessionsPolicy> = {
  name: 'sessions',
  document: 'docs/idle-sessions.md',
  of: (policy) => policy.sessions,
  parse: (fields) => sessionsSection.safeParse(fields),
  check: checkSessions,
};

export type SessionsInForce = SectionInForce<SessionsPolicy>;
export type SessionsSource = PolicySource<SessionsPolicy, SessionsFields>;
