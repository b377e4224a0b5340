/** `dormouse report --month`: what happened to people in one month. */
import type { Command } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { withPool } from '../cli/connection.js';
import { buildMonthReport, describeMonth, monthOf } from './month-report.js';

export function addMonthReportCommand(program: Command): void {
  atInstallation(program.command('report'))
    .description('how many people each rung reached in a month, and whether notices brought people back')
    .requiredOption('--month <month>', 'in UTC, as 2026-10')
    .option('--json', 'as JSON')
    .action(async ({ month, json }: { month: string; json?: true }) => {
      monthOf(month);
      const report = await withPool((pool) => buildMonthReport(pool, month, Date.now()));
      console.log(json ? JSON.stringify(report, null, 2) : describeMonth(report).join('\n'));
    });
}
