/** How the rules of a policy report problems. Pure. */
import type { z } from 'zod';
import type { Policy } from './schema.js';

export type Issues = z.core.ParsePayload<Policy>['issues'];

export function report(issues: Issues, input: Policy, path: (string | number)[], message: string): void {
  issues.push({ code: 'custom', message, path, input });
}
