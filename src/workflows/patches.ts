/**
 * Every change of course made by `patched()`, with the release that introduced it. A build that may be rolled
 * back begins no change that is newer than the release it would be rolled back to (docs/upgrades.md). Pure.
 */
export const patchReleases: Readonly<Record<string, string>> = {
  'absence-takes-time': '0.1.0',
  'aged-runs-renew': '0.1.0',
  'cancellation-is-audited': '0.1.0',
  'deactivated-is-looked-at': '0.1.0',
  'deactivation-looks': '0.1.0',
  'deletion-is-called-back': '0.1.0',
  'due-steps-are-not-recorded-again': '0.1.0',
  'failed-notices-pause-longer': '0.1.0',
  'former-standing-counts': '0.1.0',
  'full-runs-renew-in-each-turn': '0.1.0',
  'grants-are-given-back': '0.1.0',
  'grants-outlast-queues': '0.1.0',
  'held-looks-daily': '0.1.0',
  'holds-in-postgres': '0.1.0',
  'interrupted-attempt-may-fail': '0.1.0',
  'look-again-after-waiting': '0.1.0',
  'lost-warning-comes-anew': '0.1.0',
  'no-mail-follows-a-shell': '0.1.0',
  'refused-end-waits': '0.1.0',
  'return-ends-credentials': '0.1.0',
  'revocation-looks': '0.1.0',
  'warning-keeps-its-day': '0.1.0',
};
