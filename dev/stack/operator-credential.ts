/** The credential by which `npm run dormouse` calls the gateway of the stack on this machine. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RouteScope, routeScopes, scopeRules } from '../../src/domain/principals/scopes.js';
import { createPool } from '../../src/postgres/pool.js';
import { readKnownCredentials } from '../../src/principals/credentials-table.js';
import { createCredential, credentialHash } from '../../src/principals/issue.js';
import type { StackInfo } from './types.js';

const isOperators = (scope: RouteScope) => scopeRules[scope].side !== 'public';

/**
 * Makes it at the first use, with all scopes of operators, and again where the stack's database was made anew.
 * @param directory of the stack, which holds its other secrets too
 */
export async function operatorCredential(
  { postgres }: Pick<StackInfo, 'postgres'>,
  directory: string,
): Promise<string> {
  const file = join(directory, 'operator-credential');
  const pool = createPool({ url: postgres.runtimeUrl, max: 1 });
  try {
    const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
    const hash = credentialHash(kept).toString('base64url');
    const { credentials } = await readKnownCredentials(pool);
    const known = credentials.find((one) => one.hash === hash && one.endsAt === undefined);
    const scopes = routeScopes.filter(isOperators);
    if (known !== undefined && scopes.every((scope) => known.scopes.includes(scope))) return kept;
    const name = `desk-${randomBytes(4).toString('hex')}`;
    const secret = await createCredential(pool, {
      ...{ name, owner: 'operator', scopes, networks: [], actor: 'npm-run-dormouse' },
    });
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    return secret;
  } finally {
    await pool.end();
  }
}
