/** Prints expectations and findings, and writes them as JSON. */
import { writeFile } from 'node:fs/promises';
import pc from 'picocolors';
import type { Player } from './player.js';
import type { Finding } from './truth.js';

export interface DemoReport {
  readonly holds: boolean;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** How long each return took to appear, milliseconds. */
  readonly returnsMs: Readonly<Record<string, number>>;
}

export function reportOf(
  players: readonly Player[],
  findings: readonly Finding[],
  startedAt: number,
): DemoReport {
  const returnsMs = Object.fromEntries(
    players.flatMap(({ role, returnedWithinMs }) =>
      returnedWithinMs === undefined ? [] : [[role.name, returnedWithinMs]],
    ),
  );
  return {
    holds: findings.length > 0 && findings.every(({ holds }) => holds),
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
    findings,
    returnsMs,
  };
}

export function printReport(report: DemoReport): void {
  let who = '';
  for (const finding of report.findings) {
    if (finding.who !== who) console.log(`\n${pc.bold(finding.who)}`);
    who = finding.who;
    const mark = finding.holds ? pc.green('✓') : pc.red('✗');
    const found = finding.holds ? finding.found : `${pc.red(finding.found)} (expected: ${finding.expected})`;
    console.log(`  ${mark} ${finding.what.padEnd(32)} ${found}`);
  }
  const returns = Object.values(report.returnsMs);
  const broken = report.findings.filter(({ holds }) => !holds).length;
  console.log(
    `\n${report.findings.length - broken} expectations hold, ${broken} do not; ${report.seconds} s.`,
  );
  console.log(`Returns showed in the standing within ${Math.max(0, ...returns)} ms.`);
}

export async function writeReport(report: DemoReport, file: string): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
}
