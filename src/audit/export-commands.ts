/** `dormouse audit export|report`: evidence for auditors. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { withPool } from '../cli/connection.js';
import { beginOf, endOf } from '../cli/times.js';
import { ConfigError } from '../config.js';
import { controlIds, isControlId } from './controls.js';
import { type ExportOptions, exportAudit, exportFormats, selectionOf } from './export.js';
import { buildReport, describeReport } from './report.js';
import type { AuditSelection } from './stream.js';
import { streamAudit } from './stream.js';

interface Period {
  readonly from?: string;
  readonly to?: string;
}

interface ExportArguments extends Period {
  readonly format: ExportOptions['format'];
  readonly control?: string;
  readonly out?: string;
}

interface ReportArguments extends Period {
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
    .action(exportLog);
  audit
    .command('report')
    .description('actions by month, policies in force, and accounts that are over a threshold and still in')
    .option(...from)
    .option(...to)
    .option('--organisation-days <days>', 'the time of inactivity that you set for NIST AC-2(3)')
    .option('--limit <count>', 'accounts to list for each control', '20')
    .option('--json', 'as JSON')
    .action(report);
}

async function exportLog(given: ExportArguments): Promise<void> {
  const options: ExportOptions = {
    format: given.format,
    selection: selectionFor(given),
    ...(given.control !== undefined && isControlId(given.control) && { control: given.control }),
    generatedAt: Date.now(),
  };
  const { out } = given;
  await withPool(async (pool) => {
    const text = Readable.from(exportAudit(streamAudit(pool, selectionOf(options)), options));
    if (out === undefined) await pipeline(text, process.stdout, { end: false });
    // Evidence is never overwritten, and only its owner may read it.
    else await pipeline(text, createWriteStream(out, { flags: 'wx', mode: 0o600 }));
  });
}

async function report(given: ReportArguments): Promise<void> {
  const days = given.organisationDays;
  const built = await withPool((pool) =>
    buildReport(pool, {
      selection: selectionFor(given),
      ...(days === undefined ? {} : { organisationDays: wholeNumber('--organisation-days', days) }),
      limit: wholeNumber('--limit', given.limit),
      now: Date.now(),
    }),
  );
  console.log(given.json ? JSON.stringify(built, null, 2) : describeReport(built).join('\n'));
}

function selectionFor({ from: begin, to: end }: Period): AuditSelection {
  const selection = {
    ...(begin === undefined ? {} : { from: beginOf('--from', begin) }),
    ...(end === undefined ? {} : { to: endOf('--to', end) }),
  };
  const { from: first, to: last } = selection;
  if (first !== undefined && last !== undefined && last <= first) {
    throw new ConfigError('--to: is before --from, so the range is empty. Write the earlier one as --from');
  }
  return selection;
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new ConfigError(`${option} takes a whole number, not "${text}"`);
}
