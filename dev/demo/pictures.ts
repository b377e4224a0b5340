/** Takes the pictures at the demo's best moment: when people stand on every part of the ladder. */
import type { StackInfo } from '../stack/index.js';
import type { Player } from './player.js';
import { takeScreenshots } from './screenshot.js';

export class Pictures {
  /** Settles when they are taken, or could not be; at once when nobody asked for any. */
  taken: Promise<void> = Promise.resolve();
  private isDue = true;

  constructor(
    private readonly stack: StackInfo,
    private readonly directory: string | undefined,
  ) {}

  /** Waits for the one who stays away to be deactivated; shows the one whom nobody can reach. */
  watch(players: readonly Player[]): void {
    const absent = players.find(({ role }) => role.name === 'absent');
    const unreachable = players.find(({ role }) => role.name === 'no-address');
    if (!this.isDue || this.directory === undefined || unreachable === undefined) return;
    if (absent?.standing?.stage !== 'deactivated') return;
    this.isDue = false;
    this.taken = takeScreenshots(this.stack, this.directory, unreachable.person.id).catch(
      (error: unknown) => {
        console.error(`No pictures: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }
}
