/**
 * Carries a workflow of Keycloak that counts inactivity over to a policy. Pure. Keycloak's steps wait for each other; rungs count from the
 * last sign of life, so the waits are added up. What does not carry over is said, never left out silently.
 */
import { dayMs, formatDuration } from '../../domain/duration.js';
import { rolesLeftAlone } from './condition.js';
import type { KeycloakStep, KeycloakWorkflow } from './definition.js';

/** A mail further ahead of a step than this is a reminder, not a notice of the step. Milliseconds. */
const longestNotice = 60 * dayMs;
/** The notice that is added where Keycloak's workflow disables or deletes without one. Milliseconds. */
const addedNotice = 7 * dayMs;

interface Rung {
  readonly after: string;
  readonly notices?: readonly string[];
  readonly noticeFloor?: string;
  readonly withoutNotice?: 'wait';
  readonly mailAfter?: boolean;
}

export interface CarriedOver {
  readonly ladder: Readonly<Partial<Record<'warn' | 'deactivate' | 'delete', Rung>>>;
  readonly roles: Readonly<Record<string, 'never'>>;
  /** What is different under Dormouse, and what is missing: one sentence each. */
  readonly remarks: readonly string[];
}

/** A workflow that a policy can't stand for. The message says why, and the way out. */
export class NotCarriedOverError extends Error {
  override readonly name = 'NotCarriedOverError';
}

interface Options {
  /** Whether a condition that a policy can't say may be left out. The policy then reaches more people than the workflow did. */
  readonly withoutCondition: boolean;
}

/** @throws NotCarriedOverError */
export function carryOver(workflow: KeycloakWorkflow, options: Options): CarriedOver {
  const remarks: string[] = [...remarksOnTrigger(workflow), ...remarksOnSettings(workflow)];
  const roles = rolesOf(workflow, options, remarks);
  const timed = timedSteps(workflow.steps, remarks);
  const disable = timed.find(({ uses }) => uses === 'disable-user');
  const remove = timed.find(({ uses }) => uses === 'delete-user');
  const mails = timed.filter(({ uses }) => uses === 'notify-user');
  if (disable === undefined && remove === undefined && mails.length === 0) {
    throw new NotCarriedOverError(
      'it has none of the steps notify-user, disable-user and delete-user before it restarts. A policy has nothing to take from it',
    );
  }
  const first = disable ?? remove;
  const ahead = mails.filter((mail) => first === undefined || mail.position < first.position);
  const reminders = first === undefined ? ahead : ahead.filter(({ at }) => first.at - at > longestNotice);
  const [warning, ...others] = reminders;
  for (const { at } of others) {
    remarks.push(
      `the mail after ${formatDuration(at)} is left out: before the notices there is one reminder, the warning`,
    );
  }
  const rungs = {
    ...(warning === undefined ? {} : { warn: { after: formatDuration(warning.at) } }),
    ...(disable === undefined ? {} : { deactivate: destructive(disable, undefined, mails, remarks) }),
    ...(remove === undefined ? {} : { delete: destructive(remove, disable, mails, remarks) }),
  };
  return {
    ladder: rungs,
    roles: Object.fromEntries(roles.map((role) => [role, 'never' as const])),
    remarks,
  };
}

function remarksOnTrigger({ on = '', concurrency }: KeycloakWorkflow): string[] {
  const event = on.toLowerCase().replaceAll('_', '-');
  if (!/user-(?:authenticated|logged-in)/.test(event)) {
    throw new NotCarriedOverError(
      `it begins on ${on === '' ? 'no event' : JSON.stringify(on)}, not on user-authenticated, so it does not count inactivity. A policy counts from the last sign of life`,
    );
  }
  const restarts = concurrency['restart-in-progress'];
  return [
    ...(/user-(?:authenticated|logged-in)\s*\(/.test(event)
      ? ['sign-ins to one client restarted the workflow; under the policy every sign of life counts']
      : []),
    ...(restarts === undefined || restarts === false
      ? [
          'a sign-in did not restart the workflow (restart-in-progress); under the policy it always does, and undoes what was done',
        ]
      : []),
  ];
}

function remarksOnSettings({ enabled, schedule }: KeycloakWorkflow): string[] {
  return [
    ...(enabled ? [] : ['the workflow was not enabled in Keycloak']),
    ...(schedule === undefined || schedule === null
      ? []
      : [
          'schedule and batch-size have no counterpart: a sweep finds everybody, and the breaker bounds a day',
        ]),
  ];
}

function rolesOf({ if: condition }: KeycloakWorkflow, options: Options, remarks: string[]): string[] {
  if (condition === undefined || condition.trim() === '') return [];
  const roles = rolesLeftAlone(condition);
  if (roles !== undefined) {
    remarks.push(`roles are read from metadata_admin.role: put ${roles.join(', ')} there`);
    return roles;
  }
  if (!options.withoutCondition) {
    throw new NotCarriedOverError(
      `its condition ${JSON.stringify(condition)} is none that a policy can say (not has-role(…)), and without it the policy reaches more people. Exempt those by metadata_admin.account_type or dormouse exempt, and pass --without-condition`,
    );
  }
  remarks.push(
    `NOT CARRIED OVER: the condition ${JSON.stringify(condition)}. Everybody who follows this policy is reached`,
  );
  return [];
}

interface TimedStep {
  readonly uses: string;
  /** Since the last sign of life, milliseconds. */
  readonly at: number;
  readonly position: number;
}

/** The steps up to a restart, each with its time since the last sign of life. */
function timedSteps(steps: readonly KeycloakStep[], remarks: string[]): TimedStep[] {
  const timed: TimedStep[] = [];
  let at = 0;
  for (const [position, { uses, after }] of steps.entries()) {
    at += after;
    if (uses === 'restart') {
      remarks.push(
        'the workflow restarted itself; a lifecycle stays at its last rung until the person returns',
      );
      break;
    }
    if (!known.has(uses))
      remarks.push(
        `step ${position + 1} (${uses}) is left out: Dormouse leaves roles, groups and attributes alone`,
      );
    timed.push({ uses, at, position });
    if (uses !== 'delete-user') continue;
    if (position + 1 < steps.length) remarks.push('steps after delete-user are left out');
    break;
  }
  return timed;
}

const known: ReadonlySet<string> = new Set(['notify-user', 'disable-user', 'delete-user']);

function destructive(
  step: TimedStep,
  earlier: TimedStep | undefined,
  mails: readonly TimedStep[],
  remarks: string[],
): Rung {
  const what = step.uses === 'disable-user' ? 'deactivate' : 'delete';
  const told = mails.filter(
    ({ position, at }) =>
      position < step.position &&
      position > (earlier?.position ?? -1) &&
      at < step.at &&
      at > (earlier?.at ?? 0) &&
      step.at - at <= longestNotice,
  );
  const leads = [...new Set(told.map(({ at }) => step.at - at))];
  const room = step.at - (earlier?.at ?? 0);
  const notices =
    leads.length > 0 ? leads : [Math.min(addedNotice, Math.floor(room / 2 / dayMs) * dayMs || dayMs)];
  if (leads.length === 0) {
    remarks.push(
      `${what} gets a notice ${formatDuration(notices[0] ?? 0)} ahead: the workflow gave none, and Dormouse never acts without`,
    );
  }
  const longest = Math.max(...notices);
  const mailAfter =
    what === 'deactivate' && mails.some(({ position, at }) => position > step.position && at === step.at);
  return {
    after: formatDuration(step.at),
    notices: notices.map(formatDuration),
    noticeFloor: formatDuration(what === 'delete' ? longest : Math.min(longest, addedNotice)),
    ...(what === 'deactivate' ? { withoutNotice: 'wait' as const } : {}),
    ...(mailAfter ? { mailAfter: true } : {}),
  };
}
