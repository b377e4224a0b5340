/**
 * The summary for auditors: what was done, when and under which policy, and which accounts beyond a
 * control's threshold can still sign in.
 */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import { type ControlId, controlIds, controlOf } from './controls.js';
import {
  type ActionCount,
  countActions,
  type Overdue,
  type PolicyUse,
  readOverdue,
  readPolicyUse,
} from './report-query.js';
import type { AuditSelection } from './stream.js';

export interface ReportOptions {
  readonly selection: AuditSelection;
  /** For NIST AC-2(3), which lets the organisation choose. */
  readonly organisationDays?: number;
  /** How many accounts beyond a threshold are listed by their IDs. */
  readonly limit: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface ThresholdReport extends Overdue {
  readonly control: ControlId;
  readonly days: number;
}

export interface AuditReport {
  readonly schemaVersion: 1;
  /** Epoch milliseconds. */
  readonly generatedAt: number;
  readonly actions: readonly ActionCount[];
  readonly policies: readonly PolicyUse[];
  /** Accounts that are beyond the threshold and can still sign in, as of now. */
  readonly stillIn: readonly ThresholdReport[];
}

export async function buildReport(pool: pg.Pool, options: ReportOptions): Promise<AuditReport> {
  const { selection, now, limit, organisationDays } = options;
  const stillIn: ThresholdReport[] = [];
  for (const control of controlIds) {
    const days =
      controlOf(control).thresholdDays ?? (control === 'nist-ac-2-3' ? organisationDays : undefined);
    if (days === undefined) continue;
    stillIn.push({ control, days, ...(await readOverdue(pool, now - days * dayMs, limit)) });
  }
  return {
    schemaVersion: 1,
    generatedAt: now,
    actions: await countActions(pool, selection),
    policies: await readPolicyUse(pool),
    stillIn,
  };
}

/** The report as text for people. */
export function describeReport(report: AuditReport): string[] {
  return [
    `Report of ${new Date(report.generatedAt).toISOString()}`,
    '',
    'What was done, by month',
    ...report.actions.map(
      ({ period, eventType, type, outcome, count }) =>
        `  ${period}  ${(type === undefined ? eventType : `${eventType} (${type})`).padEnd(34)}${outcome.padEnd(20)}${count}`,
    ),
    '',
    'Policies',
    ...report.policies.map(
      ({ id, version, hash, publishedAt, latest, accounts }) =>
        `  ${`${id}@${version}`.padEnd(24)}published ${new Date(publishedAt).toISOString()}  sha256 ${hash}  ${accounts} accounts${latest ? ', the latest' : ''}`,
    ),
    ...report.stillIn.flatMap(describeThreshold),
  ];
}

function describeThreshold({ control, days, total, groups, longest }: ThresholdReport): string[] {
  const { framework, clause } = controlOf(control);
  return [
    '',
    `${framework} ${clause}: ${total} accounts inactive for more than ${days} days can still sign in`,
    ...groups.map(
      ({ stage, blockedBy, count }) =>
        `  ${stage.padEnd(12)}${(blockedBy === null ? 'nothing in the way' : `blocked: ${blockedBy}`).padEnd(28)}${count}`,
    ),
    ...longest.map(
      ({ identityId, lastActiveAt, stage, nextStep, nextAt }) =>
        `  ${identityId}  last seen ${new Date(lastActiveAt).toISOString()}  ${stage}${nextAt === null ? '' : `, next: ${nextStep} on ${new Date(nextAt).toISOString()}`}`,
    ),
  ];
}
