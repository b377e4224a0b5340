/** Facts for mails of every kind, shared by the tests of rendering. */
import { type AnnouncedAction, type MailFacts, type MailKind, mailKinds } from '../../src/mail/render.js';

export const DAY_MS = 86_400_000;
export const REACTIVATION_URL = 'https://id.acme.example/account/reactivate/AAAAAAAAAAAAAAAAAAAAAA';
export const DEADLINE_AT = Date.UTC(2027, 2, 5, 14, 3, 20);

const announced: Record<MailKind, AnnouncedAction | undefined> = {
  warn: 'suspend',
  'notice-revoke': 'revoke',
  'notice-deactivate': 'deactivate',
  'notice-delete': 'delete',
  revoked: 'deactivate',
  winback: 'deactivate',
  deactivated: 'delete',
  reactivated: undefined,
  reactivation: undefined,
  'address-changed': 'delete',
  'token-ends': 'end-token',
  'access-ended': undefined,
};

const endedGrants = [
  {
    name: 'Phone',
    createdAt: Date.UTC(2025, 1, 3),
    lastUsedAt: Date.UTC(2025, 3, 9, 22),
    network: '198.51.100.0/24',
  },
  { name: 'web', createdAt: Date.UTC(2025, 1, 3) },
];

export function factsOf(kind: MailKind, changes: Partial<MailFacts> = {}): MailFacts {
  const action = announced[kind];
  return {
    kind,
    productName: 'Acme Notes',
    signInUrl: 'https://id.acme.example/login?from=mail&lang=x',
    inactiveForMs: 90 * DAY_MS,
    ...(action === undefined ? {} : { upcoming: { action, at: DEADLINE_AT, inMs: 7 * DAY_MS } }),
    ...(kind === 'reactivation' ? { reactivation: { url: REACTIVATION_URL, lifetimeMs: DAY_MS } } : {}),
    ...(kind === 'token-ends' ? { token: { name: 'build server', by: 'inactive' } } : {}),
    ...(kind === 'access-ended' ? { ended: { grants: endedGrants, count: 3 } } : {}),
    ...changes,
  };
}

export const everyMail = mailKinds.flatMap((kind) =>
  (['en', 'de'] as const).map((locale) => ({ kind, locale, dated: announced[kind] !== undefined })),
);
