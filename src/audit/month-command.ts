/** `dormouse report --month`: what happened to people in one month. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { atGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { say } from '../cli/output.js';
import { monthOf } from './month.js';
import type { monthFormats } from './month-routes.js';

interface Flags {
  readonly month: string;
  readonly csv?: true;
  readonly json?: true;
  readonly html?: string;
}

export function addMonthReportCommand(program: Command): void {
  program
    .command('report')
    .description('how many people each rung reached in a month, and whether notices brought people back')
    .requiredOption('--month <month>', 'in UTC, as 2026-10')
    .option('--csv', 'one number a line')
    .option('--json', 'as JSON')
    .option('--html <path>', 'one page with plots, which needs nothing else')
    .action(atGateway(report));
}

async function report(gateway: GatewayCalls, { month, csv, json, html }: Flags): Promise<void> {
  monthOf(month);
  if (csv && json) throw new UsageError('--csv: goes without --json. Write one of them');
  if (html !== undefined) {
    if (csv || json) throw new UsageError('--html: goes without --csv and --json. Write one of them');
    await writeFile(html, await read(gateway, month, 'html'));
    console.error(`written: ${html}`);
    return;
  }
  const text = await read(gateway, month, csv ? 'csv' : json ? 'json' : 'text');
  for (const line of text.trimEnd().split(/\r?\n/)) say(line);
}

async function read(
  gateway: GatewayCalls,
  month: string,
  format: (typeof monthFormats)[number],
): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of gateway.stream(`/v1/audit/months/${month}`, { format })) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
