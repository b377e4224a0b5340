/**
 * Stable types of the errors that a step can end with, and what an operator can do about each. They show in
 * the Temporal UI, in standings and in the audit log, so they never change their meaning. Pure.
 */
export const wayOutOf = {
  KratosUnavailable: 'Kratos did not answer. Check that it runs and can be reached, then retry the step.',
  KratosFailed: 'Kratos answered with a server error. Look at its log, then retry the step.',
  KratosBusy: 'Kratos limited the rate of calls. Lower the rate of the worker, then retry the step.',
  KratosRefused: 'Kratos refused the call. Look at its log for the reason, then retry the step.',
  KratosUnauthorized: 'Kratos did not accept the credentials. Check DORMOUSE_ORY_TOKEN, then retry the step.',
  KratosMalformedAnswer:
    'Kratos answered with something else than its API promises. Check DORMOUSE_KRATOS_ADMIN_URL; where this is one identity only, look at what Kratos holds of it. Then retry the step.',
  KratosAnswerTooLarge:
    'Kratos answered with more than 4 MB at once. Look at what the identity holds in traits and metadata, then retry the step.',
  HydraAnswerTooLarge:
    'Hydra answered with more than 4 MB at once. Look at the consents of the identity, then retry the step.',
  HydraUnavailable: 'Hydra did not answer. Check that it runs and can be reached, then retry the step.',
  HydraFailed: 'Hydra answered with a server error. Look at its log, then retry the step.',
  HydraBusy: 'Hydra limited the rate of calls. Lower the rate of the worker, then retry the step.',
  HydraRefused: 'Hydra refused the call. Look at its log for the reason, then retry the step.',
  HydraUnauthorized: 'Hydra did not accept the credentials. Check DORMOUSE_ORY_TOKEN, then retry the step.',
  HydraMalformedAnswer:
    'Hydra answered with something else than its API promises. Check DORMOUSE_HYDRA_ADMIN_URL.',
  IdentityDoesNotFitSchema:
    'The identity no longer fits its identity schema, so Kratos refuses every change to it. Its sessions and tokens are gone. Mend its traits, then retry the step.',
  AbsenceDoubtful:
    'Kratos does not know the identity, and misses others or has them with another date of creation: it may be another Kratos, or one that was restored. Check DORMOUSE_KRATOS_ADMIN_URL and what Kratos holds, then retry the step.',
  SessionsRemain:
    'Sessions were still there after they were deleted several times. Look for what creates them, then retry.',
  TokensRemain:
    'Consents were still there after they were revoked several times. Look for what grants them, then retry.',
  StateNotTaken:
    'Kratos accepted the change of state, but the identity does not show it. Look at the identity, then retry.',
  MailServerUnavailable:
    'The mail server did not take the mail. Check DORMOUSE_SMTP_URL and the server, then retry the step.',
  MailCertificate:
    "The mail server's certificate is not believed: it names another host, has expired, or is signed by an unknown authority. Mend the certificate, use the host name that it is made out to in DORMOUSE_SMTP_URL, or let the workers know the authority (NODE_EXTRA_CA_CERTS=file.pem), then retry the step.",
  MailUnderWay: 'Another attempt was handing the same mail over. Retry the step.',
  StaleLook:
    'The worker was halted between its last look and the act, so it did not act. Check that it is not starved of processor time, then retry the step.',
  MailAmbiguous: 'The mail server took the mail and never answered. Check its queue, then retry the step.',
  MailTemplate: 'A mail could not be rendered. This is a defect of Dormouse or of a changed template.',
  LinksNotConfigured:
    'The worker does not know the address of the pages that links lead to. Set DORMOUSE_LINK_BASE_URL for it, as for the gateway.',
  UnknownPolicy:
    'The policy was never published. Publish it, or apply another policy to the identity, then retry.',
  PolicyAltered:
    'The text of the policy in the database is not the one that was published, so nothing acts by it. Find out who wrote to the table "policy" (dormouse policy list shows which version), publish the right text, then retry.',
  ExportFailed:
    "The app's export did not succeed, so nothing was deleted. Check that a worker runs that activity on the task queue that the policy names, and its log; then retry the step.",
  AnonymousTraitsDoNotFit:
    'Kratos refuses the traits that the policy gives an anonymised identity (deletion.anonymousTraits). Make them fit the identity schema, then retry the step.',
  IdentifierKeyMissing:
    'The policy keeps names of deleted accounts from being registered again (deletion.refuseIdentifiersFor), and the worker has no key for it, so nothing was deleted. Set DORMOUSE_IDENTIFIER_KEY, the same for all workers and the gateway, then retry the step (dormouse parked retry).',
  RecordRefused:
    'PostgreSQL refused what was to be written, and would refuse it again (SQLSTATE class 22 or 23; the log of the worker has the code). The ladder waits; a person who returns is let in all the same. Report it as a defect of Dormouse, then retry the step with a build that mends it.',
  CredentialsRemain:
    'The identity still had credentials after they were removed. Look at it in Kratos, then retry the step.',
  Unexpected: 'The worker failed in a way that was not foreseen. Look at its log, then retry the step.',
} as const;

export type ErrorType = keyof typeof wayOutOf;

/** @returns the advice for a type, and a general one for a type that is not known */
export function wayOut(type: string): string {
  return Object.hasOwn(wayOutOf, type) ? wayOutOf[type as ErrorType] : wayOutOf.Unexpected;
}
