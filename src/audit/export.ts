/**
 * The audit log for auditors: one row per event, with the controls that it is evidence for. Text in pieces.
 */

import { csvLine } from '../process/csv.js';
import { type ControlId, claimsOf, controlOf, controls, eventTypesFor } from './controls.js';
import type { AuditSelection, ChainedAuditRow } from './stream.js';

export const exportFormats = ['csv', 'json'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly selection: AuditSelection;
  /** Only events that say something about this control. */
  readonly control?: ControlId;
  /** Epoch milliseconds. */
  readonly generatedAt: number;
}

/** The rows that an export reads. */
export function selectionOf({ selection, control }: ExportOptions): AuditSelection {
  return control === undefined ? selection : { ...selection, eventTypes: eventTypesFor(control) };
}

/** @param rows as {@link selectionOf} selects them, in the order of the log */
export function exportAudit(
  rows: AsyncIterable<ChainedAuditRow>,
  options: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  return options.format === 'csv' ? exportCsv(rows, options) : exportJson(rows, options);
}

const header = [
  'seq',
  'occurred_at',
  'event_type',
  'target',
  'actor',
  'outcome',
  'stage',
  'days_inactive',
  'policy_id',
  'policy_version',
  'policy_hash',
  'controls',
  'why',
  'detail',
  'event_id',
  'previous_hash',
  'hash',
];

async function* exportCsv(rows: AsyncIterable<ChainedAuditRow>, options: ExportOptions) {
  yield csvLine(header);
  for await (const row of rows) {
    const claims = claimsFor(row, options);
    yield csvLine([
      row.seq,
      new Date(row.occurredAt).toISOString(),
      row.eventType,
      row.target,
      row.actor,
      row.outcome,
      row.stage,
      row.daysInactive,
      row.policyId,
      row.policyVersion,
      row.policyHash,
      claims.map(({ control, role }) => `${nameOf(control)} (${role})`).join('; '),
      [...new Set(claims.map(({ why }) => why))].join('; '),
      JSON.stringify(row.detail),
      row.eventId,
      row.previousHash,
      row.hash,
    ]);
  }
}

async function* exportJson(rows: AsyncIterable<ChainedAuditRow>, options: ExportOptions) {
  const { generatedAt, selection } = options;
  const head = {
    schemaVersion: 1,
    generatedAt: isoOf(generatedAt),
    from: isoOf(selection.from),
    to: isoOf(selection.to),
    control: options.control ?? null,
    controls,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`;
  let separator = '\n';
  for await (const { occurredAt, ...row } of rows) {
    const event = { ...row, occurredAt: isoOf(occurredAt), controls: claimsFor(row, options) };
    yield separator + JSON.stringify(event);
    separator = ',\n';
  }
  yield '\n]}\n';
}

function claimsFor({ eventType }: { readonly eventType: string }, { control }: ExportOptions) {
  return claimsOf(eventType).filter((claim) => control === undefined || claim.control === control);
}

function nameOf(control: ControlId): string {
  const { framework, clause } = controlOf(control);
  return `${framework} ${clause}`;
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
