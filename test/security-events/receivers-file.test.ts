import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError, readSecret } from '../../src/config.js';
import { parseReceiversFile } from '../../src/security-events/receivers-file.js';

const sound = `issuer: https://dormouse.example.com
receivers:
  - name: billing
    endpoint: https://billing.example.com/events
    audience: https://billing.example.com
    events: [session-revoked, account-purged]
    authorizationVariable: BILLING_AUTHORIZATION
`;

describe('parseReceiversFile', () => {
  it('reads a file, and fills in the defaults', () => {
    expect(parseReceiversFile(sound, 'signals.yaml')).toEqual({
      issuer: 'https://dormouse.example.com',
      subjectIssuer: 'https://dormouse.example.com',
      receivers: [
        {
          name: 'billing',
          endpoint: 'https://billing.example.com/events',
          audience: 'https://billing.example.com',
          events: ['session-revoked', 'account-purged'],
          authorizationVariable: 'BILLING_AUTHORIZATION',
          deliverEvery: 60_000,
        },
      ],
    });
  });

  it('reads the example of the documentation', () => {
    const page = readFileSync(
      fileURLToPath(new URL('../../docs/shared-signals.md', import.meta.url)),
      'utf8',
    );
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(parseReceiversFile(example, 'example').receivers).toHaveLength(1);
  });

  it.each([
    [
      'issuer: https://dormouse.example.com',
      'issuer: https://dormouse.example.com/',
      /^f:1: issuer: takes the gateway's/,
    ],
    ['issuer: https://', 'issuer: http://', /^f:1: issuer: takes an https URL/],
    ['endpoint: https', 'endpoint: http', /^f:4: receivers\.0\.endpoint: takes an https URL/],
    [
      '//billing.example.com/events',
      '//u:secret@billing.example.com/events',
      /^f:4: .*without user and password/,
    ],
    ['account-purged', 'account-eaten', /^f:6: receivers\.0\.events\.1: /],
    ['[session-revoked, account-purged]', '[]', /^f:6: receivers\.0\.events: /],
    ['BILLING_AUTHORIZATION', 'Bearer secret', /^f:7: .*name of an environment variable/],
    ['name: billing', 'name: Billing', /^f:3: receivers\.0\.name: takes lower-case/],
    [
      'name: billing',
      'name: billing\n    deliverEvery: 1s',
      /^f:4: receivers\.0\.deliverEvery: takes a duration/,
    ],
    ['name: billing', 'name: billing\n    retry: 5', /^f:3: receivers\.0: .*retry/],
  ])('refuses %s as %s', (find, replacement, message) => {
    const broken = sound.replace(find, replacement);
    expect(broken).not.toBe(sound);
    expect(() => parseReceiversFile(broken, 'f')).toThrow(ConfigError);
    expect(() => parseReceiversFile(broken, 'f')).toThrow(message);
    expect(() => parseReceiversFile(broken, 'f')).not.toThrow(/secret/);
  });

  it('refuses two receivers of one name', () => {
    const twice = sound + sound.slice(sound.indexOf('  - name'));
    expect(() => parseReceiversFile(twice, 'f')).toThrow(/receivers\.1\.name: is taken/);
  });
});

describe('readSecret', () => {
  it('names the variable that is missing', () => {
    expect(readSecret('SECRET', 'A receiver', { SECRET: 'Bearer x' })).toBe('Bearer x');
    expect(() => readSecret('SECRET', 'A receiver', { SECRET: '' })).toThrow(
      'SECRET is not set. A receiver names it.',
    );
  });
});
