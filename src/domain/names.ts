/** What names may look like where they enter history or the audit log: short, and with no room for an address. Pure. */

/** The id of a policy, as in its file. */
export const policyIdPattern = /^[a-z][a-z0-9-]{0,31}$/;

/** An operator, a program, or the place where activity was seen: an opaque name, never an e-mail address. */
export const opaqueNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

/** Who acts where somebody followed a link in a mail. */
export const selfServiceActor = 'self-service';
