/** `dormouse audit export|report`: evidence for auditors. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { z } from 'zod';
import { jsonOption } from '../cli/changes.js';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { say, sayJson } from '../cli/output.js';
import { beginOf, endOf } from '../cli/times.js';
import { rfc3339 } from '../domain/rfc3339.js';
import { controlIds } from './controls.js';
import { exportFormats } from './export.js';
import type { reportAnswer } from './routes.js';

interface Period {
  readonly from?: string;
  readonly to?: string;
}

interface ExportFlags extends Period {
  readonly format: string;
  readonly control?: string;
  readonly out?: string;
}

interface ReportFlags extends Period {
  readonly json?: true;
  readonly organisationDays?: string;
  readonly limit: string;
}

const from = [
  '--from <date>',
  'events from this day (UTC) or time on, as 2026-01-01 or 2026-01-01T00:00:00Z',
] as const;
const to = ['--to <date>', 'events up to this day, its end included (UTC), or before this time'] as const;

export function addAuditExportCommands(audit: Command): void {
  audit
    .command('export')
    .description('one row an event, with the controls that it is evidence for')
    .addOption(new Option('--format <format>', 'of the output').choices(exportFormats).default('csv'))
    .option(...from)
    .option(...to)
    .addOption(new Option('--control <id>', 'only events that say something about it').choices(controlIds))
    .option('--out <file>', 'write to a new file instead of the standard output')
    .action(atGateway(exportLog));
  audit
    .command('report')
    .description('actions by month, policies in force, and accounts that are over a threshold and still in')
    .option(...from)
    .option(...to)
    .option('--organisation-days <days>', 'the time of inactivity that you set for NIST AC-2(3)')
    .option('--limit <count>', 'accounts to list for each control', '20')
    .option(...jsonOption)
    .action(atGateway(report));
}

async function exportLog(
  gateway: GatewayCalls,
  { format, control, out, ...period }: ExportFlags,
): Promise<void> {
  const query = { format, control, ...rangeOf(period) };
  const text = Readable.from(gateway.stream('/v1/audit/export', query));
  if (out === undefined) await pipeline(text, process.stdout, { end: false });
  // Evidence is never overwritten, and only its owner may read it.
  else await pipeline(text, createWriteStream(out, { flags: 'wx', mode: 0o600 }));
}

async function report(gateway: GatewayCalls, flags: ReportFlags): Promise<void> {
  const days = flags.organisationDays;
  const answer = await gateway.get<z.input<typeof reportAnswer>>('/v1/audit/report', {
    organisationDays: days === undefined ? undefined : wholeNumber('--organisation-days', days),
    limit: wholeNumber('--limit', flags.limit),
    ...rangeOf(flags),
  });
  if (flags.json === true) sayJson(answer.report);
  else for (const line of answer.lines) say(line);
}

function rangeOf({ from: begin, to: end }: Period): { from?: string; to?: string } {
  const first = begin === undefined ? undefined : beginOf('--from', begin);
  const last = end === undefined ? undefined : endOf('--to', end);
  if (first !== undefined && last !== undefined && last <= first) {
    throw new UsageError('--to: is before --from, so the range is empty. Write the earlier one as --from');
  }
  return {
    ...(first !== undefined && { from: rfc3339(first) }),
    ...(last !== undefined && { to: rfc3339(last) }),
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number, not "${text}"`);
}
