/** Guards of the desk: nobody gets in by another's sign-in, no session outlives its limits, and no other page sends a form. */
import type { Guard } from './guard.js';

const rules = { project: 'unit', tests: ['test/desk/rules.test.ts'] } as const;
const signIn = { project: 'system', tests: ['test/integration/desk-sign-in.test.ts'] } as const;
const pages = { project: 'system', tests: ['test/integration/desk.test.ts'] } as const;

export const deskGuards: readonly Guard[] = [
  {
    name: 'desk: a form comes from the own origin',
    takenOut: {
      part: 'secret === undefined || !isSameOrigin(headers, [origin])',
      becomes: 'secret === undefined',
    },
    ...rules,
  },
  {
    name: 'desk: a form carries the token of its session',
    takenOut: { value: 'other.length > 0' },
    ...rules,
  },
  {
    name: 'desk: forms are checked at all',
    takenOut: {
      part: "if (request.method !== 'POST' || findPrincipal(request) === undefined) return;",
      becomes: 'if (request.method.length > 0) return;',
    },
    ...signIn,
    only: 'is refused, and logged',
  },
  {
    name: 'desk: a sign-in leads to the desk alone',
    takenOut: { part: 'text.length > longest || !ownPath.test(text)', becomes: 'text.length > longest' },
    ...rules,
  },
  {
    name: "desk: two cookies of the session's name are none",
    takenOut: { part: 'values.length !== 1 ||', becomes: '' },
    ...rules,
  },
  {
    name: 'desk: the ID token and the access token are of one person',
    takenOut: 'left out',
    ...{ project: 'unit', tests: ['test/principals/sign-in.test.ts'] },
  },
  {
    name: 'desk: a session keeps no scope that the file gives nobody any more',
    takenOut: { part: 'given.includes(scope)', becomes: 'scope.length > 0' },
    ...{ project: 'unit', tests: ['test/principals/sign-in.test.ts'] },
  },
  {
    name: "desk: the answer belongs to this browser's sign-in",
    takenOut: { value: "query.get('state') ?? underWay.state" },
    ...signIn,
    only: 'of another browser is refused',
  },
  {
    name: 'desk: a session that was idle for too long is over',
    takenOut: { part: "AND last_used_at > now() - $2 * interval '1 ms'", becomes: 'AND $2::bigint > 0' },
    ...signIn,
    only: 'was idle for too long',
  },
  {
    name: 'desk: a session ends some hours after the sign-in',
    takenOut: { part: "AND signed_in_at > now() - $3 * interval '1 ms'", becomes: 'AND $3::bigint > 0' },
    ...signIn,
    only: 'some hours after the sign-in',
  },
  {
    name: 'desk: addresses take the scope addresses:read',
    takenOut: {
      part: "may(request, 'addresses:read') ? addressesOf(context, id) : undefined",
      becomes: 'addressesOf(context, id)',
    },
    ...pages,
    only: 'with the scope addresses:read alone',
  },
  {
    name: 'desk: a page takes the scope of its route',
    takenOut: {
      part: ': withScope(await page.identify(request), scope);',
      becomes: ': await page.identify(request);',
    },
    ...pages,
    only: 'is refused when posting by hand',
  },
];
