/** Session policies to start from, and what each satisfies. Pure. */

export interface SessionsPreset {
  /** The fields, as a policy file writes them. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly satisfies: readonly string[];
  /** What the preset alone does not give. */
  readonly leavesOpen: readonly string[];
  /**
   * WCAG 2.2.1 (Timing Adjustable) wants ten extensions of a time limit, or an exception. Eleven times the idle limit within the
   * absolute limit leave room for them.
   */
  readonly wcag: string;
}

export const sessionsPresets: Readonly<Record<string, SessionsPreset>> = {
  banking: {
    fields: {
      idle: '10m',
      absolute: '4h',
      routes: { '/transfer': '5m', '/billing': '5m', '/admin': '5m' },
      warnBefore: '60s',
      lease: { atMost: '30m', beat: '30s' },
    },
    satisfies: ['OWASP ASVS 5.0 7.3.1 and 7.3.2', 'PCI DSS 4.0.1 8.2.8 (idle 15 min at most)'],
    leavesOpen: ['second factors and step-up: name the routes in stepUp'],
    wcag: 'the absolute limit is 24 times the idle limit: ten extensions fit',
  },
  saas: {
    fields: {
      idle: '2h',
      absolute: '24h',
      devices: { mobile: '4h' },
      routes: { '/billing': '15m', '/admin': '30m' },
      choices: { offered: [0, '15m', '30m', '60m'], ceilings: { admin: '30m' } },
      warnBefore: '2m',
      lease: { atMost: '8h' },
    },
    satisfies: ['OWASP ASVS 5.0 7.3.1 and 7.3.2'],
    leavesOpen: ['PCI DSS 8.2.8 and NIST SP 800-63B-4 AAL2: the idle limit is longer'],
    wcag: 'the absolute limit is 12 times the idle limit: ten extensions fit. Mobile: the exception "more than 20 hours" is claimed for the absolute limit',
  },
  casual: {
    fields: {
      idle: '14d',
      absolute: '180d',
      renewal: 'requests',
      routes: { '/account': '1h' },
      warnBefore: '5m',
      lease: { atMost: '20d' },
    },
    satisfies: ['OWASP ASVS 5.0 7.3.1 and 7.3.2, with limits for low risk'],
    leavesOpen: ['limits of any payment or health standard'],
    wcag: 'the absolute limit is 12 times the idle limit; both exceed 20 hours, which WCAG 2.2.1 exempts',
  },
  'nist-aal2': {
    fields: { idle: '1h', absolute: '24h', warnBefore: '2m', lease: { atMost: '4h' } },
    satisfies: ['NIST SP 800-63B-4 AAL2: 24 h overall, 1 h idle'],
    leavesOpen: ['the second factor itself: assurance and stepUp ask for it, Kratos gives it'],
    wcag: 'the absolute limit is 24 times the idle limit: ten extensions fit',
  },
  'nist-aal3': {
    fields: { idle: '15m', absolute: '12h', warnBefore: '60s', lease: { atMost: '2h' } },
    satisfies: ['NIST SP 800-63B-4 AAL3: 12 h overall, 15 min idle'],
    leavesOpen: ['phishing-resistant authenticators, which Kratos must demand'],
    wcag: 'the absolute limit is 48 times the idle limit: ten extensions fit',
  },
  'pci-dss': {
    fields: { idle: '15m', absolute: '12h', warnBefore: '60s', lease: { atMost: '1h' } },
    satisfies: ['PCI DSS 4.0.1 8.2.8: re-authentication after 15 minutes idle'],
    leavesOpen: ['8.2.6 (inactive accounts): that is the ladder'],
    wcag: 'the absolute limit is 48 times the idle limit: ten extensions fit',
  },
};

export const presetNames = Object.keys(sessionsPresets);

/** Fills the fields of the preset in beneath those that are written. An unknown preset is left for the check to report. */
export function withPreset(section: unknown): unknown {
  if (typeof section !== 'object' || section === null || !('preset' in section)) return section;
  const { preset } = section;
  const known = typeof preset === 'string' && Object.hasOwn(sessionsPresets, preset) ? preset : undefined;
  return known === undefined ? section : { ...sessionsPresets[known]?.fields, ...section };
}
