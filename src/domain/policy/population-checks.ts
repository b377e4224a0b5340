/** The rules for a policy's populations as a whole. Pure. */
import { type Issues, report } from './issues.js';
import type { Population } from './populations.js';
import type { Policy } from './schema.js';

export function checkPopulations(policy: Policy, issues: Issues): void {
  const { populations } = policy;
  for (const [index, { name, when }] of populations.entries()) {
    const at = (field: string, message: string) =>
      report(issues, policy, ['populations', index, field], message);
    const earlier = populations.slice(0, index);
    if (earlier.some((other) => other.name === name)) {
      at('name', `"${name}" is there twice. Give each population a name of its own`);
    }
    const hiding = earlier.find((other) => takesAllOf(other.when, when));
    if (hiding !== undefined) {
      at('when', `fits nobody whom "${hiding.name}" above does not take. Put it further up, or take it out`);
    }
  }
}

type When = Population['when'];
const fields = ['schemas', 'accountTypes', 'roles', 'groups'] as const;

/** Whether whoever fits `narrow` fits `wide` as well. */
function takesAllOf(wide: When, narrow: When): boolean {
  return fields.every((field) => {
    const [all, some] = [wide[field], narrow[field]];
    return all === undefined || some?.every((one) => all.includes(one)) === true;
  });
}
