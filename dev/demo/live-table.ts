/** Shows all roles at once: a table that redraws itself on a terminal, one line per change elsewhere. */
import Table from 'cli-table3';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Stage } from '../../src/domain/rungs.js';
import type { Player } from './player.js';

const colours: Record<Stage, (text: string) => string> = {
  active: pc.green,
  warned: pc.yellow,
  suspended: pc.yellow,
  revoked: pc.magenta,
  deactivated: pc.red,
  deleted: pc.gray,
};

export class LiveTable {
  private readonly update = createLogUpdate(process.stdout, { showCursor: true });
  private readonly lastLines = new Map<string, string>();
  private readonly startedAt = Date.now();

  constructor(private readonly isTerminal: boolean) {}

  show(players: readonly Player[]): void {
    if (this.isTerminal) this.update(this.render(players));
    else for (const player of players) this.printChange(player);
  }

  end(): void {
    if (this.isTerminal) this.update.done();
  }

  private render(players: readonly Player[]): string {
    const table = new Table({
      head: ['', 'story', 'stage', 'next', 'in', 'nothing happens because'],
      style: { head: [] },
    });
    for (const { role, standing } of players) {
      const next = nextOf(standing);
      const until =
        standing?.next === undefined
          ? ''
          : `${Math.max(0, (standing.next.at - Date.now()) / 1_000).toFixed(0)} s`;
      table.push([
        role.name,
        role.story,
        standing === undefined ? '' : colours[standing.stage](standing.stage),
        next,
        until,
        standing?.blocked?.by ?? '',
      ]);
    }
    return `${table.toString()}\n${((Date.now() - this.startedAt) / 1_000).toFixed(0)} s`;
  }

  private printChange({ role, standing }: Player): void {
    if (standing === undefined) return;
    const line = `${role.name.padEnd(12)} ${standing.stage.padEnd(12)} next: ${nextOf(standing) || 'nothing'}${
      standing.blocked === undefined ? '' : ` (${standing.blocked.by})`
    }`;
    if (this.lastLines.get(role.name) === line) return;
    this.lastLines.set(role.name, line);
    console.log(`${((Date.now() - this.startedAt) / 1_000).toFixed(1).padStart(5)} s  ${line}`);
  }
}

function nextOf(standing: Player['standing']): string {
  if (standing?.next === undefined) return '';
  return standing.next.step === 'notice' ? `notice of ${standing.next.rung}` : standing.next.rung;
}
