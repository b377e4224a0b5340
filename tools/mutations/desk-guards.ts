/** Guards of the desk: nobody gets in by another's sign-in, no session outlives its limits, and no other page sends a form. */
import type { Guard } from './guard.js';

const rules = { project: 'unit', tests: ['test/desk/rules.test.ts'] } as const;
const signIn = { project: 'system', tests: ['test/integration/desk-sign-in.test.ts'] } as const;
const pages = { project: 'system', tests: ['test/integration/desk.test.ts'] } as const;

export const deskGuards: readonly Guard[] = [
  {
    name: 'desk: a form comes from the own origin',
    file: 'src/desk/csrf.ts',
    find: 'secret === undefined || !isSameOrigin(headers, [origin])',
    replace: 'secret === undefined',
    ...rules,
  },
  {
    name: 'desk: a form carries the token of its session',
    file: 'src/desk/csrf.ts',
    find: 'return one.length === other.length && timingSafeEqual(one, other);',
    replace: 'return other.length > 0;',
    ...rules,
  },
  {
    name: 'desk: forms are checked at all',
    file: 'src/desk/desk.ts',
    find: "if (request.method !== 'POST' || findPrincipal(request) === undefined) return;",
    replace: 'if (request.method.length > 0) return;',
    ...signIn,
    only: 'is refused, and logged',
  },
  {
    name: 'desk: a sign-in leads to the desk alone',
    file: 'src/desk/return-path.ts',
    find: 'text.length > longest || !ownPath.test(text)',
    replace: 'text.length > longest',
    ...rules,
  },
  {
    name: "desk: two cookies of the session's name are none",
    file: 'src/desk/cookies.ts',
    find: 'values.length !== 1 ||',
    replace: '',
    ...rules,
  },
  {
    name: 'desk: the ID token and the access token are of one person',
    file: 'src/principals/sign-in.ts',
    find: "if (principal.actor !== oidcActor(alias, subject)) return { kind: 'refused', cause: 'forged' };",
    replace: '',
    ...{ project: 'unit', tests: ['test/principals/sign-in.test.ts'] },
  },
  {
    name: "desk: the answer belongs to this browser's sign-in",
    file: 'src/principals/sign-in.ts',
    find: 'expectedState: underWay.state,',
    replace: "expectedState: query.get('state') ?? underWay.state,",
    ...signIn,
    only: 'of another browser is refused',
  },
  {
    name: 'desk: a session that was idle for too long is over',
    file: 'src/principals/operator-sessions-table.ts',
    find: "AND last_used_at > now() - $2 * interval '1 ms'",
    replace: 'AND $2::bigint > 0',
    ...signIn,
    only: 'was idle for too long',
  },
  {
    name: 'desk: a session ends some hours after the sign-in',
    file: 'src/principals/operator-sessions-table.ts',
    find: "AND signed_in_at > now() - $3 * interval '1 ms'",
    replace: 'AND $3::bigint > 0',
    ...signIn,
    only: 'some hours after the sign-in',
  },
  {
    name: 'desk: addresses take the scope addresses:read',
    file: 'src/desk/identity-view.ts',
    find: "may(request, 'addresses:read') ? addressesOf(context, id) : undefined",
    replace: 'addressesOf(context, id)',
    ...pages,
    only: 'with the scope addresses:read alone',
  },
  {
    name: 'desk: a page takes the scope of its route',
    file: 'src/http/access.ts',
    find: ': withScope(await page.identify(request), scope);',
    replace: ': await page.identify(request);',
    ...pages,
    only: 'is refused when posting by hand',
  },
];
