/** What operators see in the Temporal UI: search attributes, and the workflow's details as Markdown. */
import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { identityUrl } from '../domain/identity-url.js';
import { kindOfHold } from '../domain/lifecycle/holds.js';
import { isSameDueStep, type NextStep } from '../domain/lifecycle/next-step.js';
import type { Standing } from '../domain/standing.js';

const stage = defineSearchAttributeKey('DormouseStage', 'KEYWORD');
const nextStep = defineSearchAttributeKey('DormouseNextStep', 'KEYWORD');
const blocked = defineSearchAttributeKey('DormouseBlocked', 'KEYWORD');
const policy = defineSearchAttributeKey('DormousePolicy', 'KEYWORD');
const nextStepAt = defineSearchAttributeKey('DormouseNextStepAt', 'DATETIME');
const lastActiveAt = defineSearchAttributeKey('DormouseLastActiveAt', 'DATETIME');

/** The values written last, so that only changes are written. */
export interface Shown {
  readonly stage: string;
  readonly nextStep: string;
  readonly blocked: string;
  readonly policy: string;
  readonly next: NextStep | undefined;
  readonly lastActiveAt: number;
}

/** @returns what is shown now */
export function showStanding(
  standing: Standing,
  before: Shown | undefined,
  options: { detailsOnly?: boolean; deskUrl?: string | undefined } = {},
): Shown {
  // The link first: the UI shows some lines, and the others by scrolling.
  setCurrentDetails([...deskLink(standing, options.deskUrl), ...detailsOf(standing)].join('\n\n'));
  if (options.detailsOnly === true && before !== undefined) return before;
  const shown: Shown = {
    stage: standing.stage,
    nextStep: nameOfNext(standing),
    blocked: standing.blocked?.by ?? 'none',
    policy: standing.policy === undefined ? 'none' : `${standing.policy.id}@${standing.policy.version}`,
    next: isStillDue(standing, before) ? before?.next : standing.next,
    lastActiveAt: standing.lastActiveAt,
  };
  const changes: SearchAttributeUpdatePair[] = [];
  if (shown.stage !== before?.stage) changes.push({ key: stage, value: shown.stage });
  if (shown.nextStep !== before?.nextStep) changes.push({ key: nextStep, value: shown.nextStep });
  if (shown.blocked !== before?.blocked) changes.push({ key: blocked, value: shown.blocked });
  if (shown.policy !== before?.policy) changes.push({ key: policy, value: shown.policy });
  if (shown.next !== undefined && shown.next.at !== before?.next?.at) {
    changes.push({ key: nextStepAt, value: new Date(shown.next.at) });
  }
  if (shown.next === undefined && before?.next !== undefined) {
    changes.push({ key: nextStepAt, value: null });
  }
  if (shown.lastActiveAt !== before?.lastActiveAt) {
    changes.push({ key: lastActiveAt, value: new Date(shown.lastActiveAt) });
  }
  if (changes.length > 0) upsertSearchAttributes(changes);
  return shown;
}

/** The instant from which a step is due stays shown: that the clock goes on is no change, and costs no write. */
function isStillDue({ next }: Standing, before: Shown | undefined): boolean {
  const isSame = isSameDueStep(before?.next, next, Date.now()) && before?.next?.at !== next?.at;
  return isSame && patched('due-steps-are-not-recorded-again');
}

/** `revoke`, `notice:delete`, or `none`. */
export function nameOfNext({ next }: Pick<Standing, 'next'>): string {
  if (next === undefined) return 'none';
  return next.step === 'notice' ? `notice:${next.rung}` : next.rung;
}

const at = (time: number): string => new Date(time).toISOString();

/** As of the last look: whoever replays a history sees the link of that time. */
function deskLink({ identityId }: Standing, deskUrl: string | undefined): string[] {
  return deskUrl === undefined
    ? []
    : [`[Open this identity at the desk](${deskUrl}${identityUrl(identityId)})`];
}

function detailsOf(standing: Standing): string[] {
  const lines = [
    `**Stage:** ${standing.stage}, since ${at(standing.since)}`,
    `**Last sign of life:** ${at(standing.lastActiveAt)}`,
    `**Next:** ${standing.next === undefined ? 'nothing' : `${nameOfNext(standing)} at ${at(standing.next.at)}`}`,
    `**Why:** ${standing.blocked === undefined ? 'the ladder runs' : standing.blocked.why}`,
  ];
  if (standing.inProgress !== undefined) lines.push(`**In progress:** ${standing.inProgress}`);
  if (standing.policy !== undefined)
    lines.push(`**Policy:** ${standing.policy.id} version ${standing.policy.version}`);
  for (const hold of standing.holds ?? []) {
    lines.push(`**Hold ${hold.id} (${kindOfHold(hold)}):** until ${at(hold.until)}, by ${hold.actor}`);
  }
  for (const notice of standing.notices) {
    lines.push(`**Notice of ${notice.rung}:** ${notice.outcome} at ${at(notice.at)}`);
  }
  for (const [rung, time] of Object.entries(standing.completed))
    lines.push(`**Done:** ${rung} at ${at(time)}`);
  for (const warning of standing.warnings) lines.push(`**Warning:** ${warning}`);
  return lines;
}
