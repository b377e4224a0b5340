/** `dormouse report --month`: what happened to people in one month. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { withPool } from '../cli/connection.js';
import { monthOf } from './month.js';
import { monthCsv } from './month-csv.js';
import { monthPage } from './month-page.js';
import { monthReport } from './month-report.js';
import { monthText } from './month-text.js';

interface Flags {
  readonly month: string;
  readonly csv?: true;
  readonly json?: true;
  readonly html?: string;
}

export function addMonthReportCommand(program: Command): void {
  atInstallation(program.command('report'))
    .description('how many people each rung reached in a month, and whether notices brought people back')
    .requiredOption('--month <month>', 'in UTC, as 2026-10')
    .option('--csv', 'one number a line')
    .option('--json', 'as JSON')
    .option('--html <path>', 'one page with plots, which needs nothing else')
    .action(async ({ month, csv, json, html }: Flags) => {
      monthOf(month);
      if (csv && json) throw new Error('--csv: goes without --json. Write one of them');
      const report = await withPool((pool) => monthReport(pool, month, Date.now()));
      if (html !== undefined) {
        await writeFile(html, monthPage(report));
        console.error(`written: ${html}`);
      }
      if (csv) process.stdout.write(monthCsv(report).join(''));
      else console.log(json ? JSON.stringify(report, null, 2) : monthText(report).join('\n'));
    });
}
