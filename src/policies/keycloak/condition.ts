/** The condition of a Keycloak workflow (`if`), as far as a policy can say it: roles that are left alone. Pure. */

const excluded = /^(?:not\s+|!\s*)has[-_]role\(\s*["']?([^"'()]{1,64}?)["']?\s*\)$/i;

/**
 * @returns the roles that the workflow leaves alone, where that is all that the condition says: `not has-role(admin)`, also several
 * joined by `and`. `undefined` where it says anything else
 */
export function rolesLeftAlone(condition: string): string[] | undefined {
  const roles = condition
    .trim()
    .split(/\s+and\s+/i)
    .map((part) => excluded.exec(part.trim())?.[1]?.trim());
  return roles.every((role): role is string => role !== undefined && role !== '') ? roles : undefined;
}
