/** Takes the pictures at the best moment of the demo: when people stand on every part of the ladder. */
import type { StackInfo } from '../stack/index.js';
import type { Player } from './player.js';
import { takeScreenshots } from './screenshot.js';

export class Pictures {
  /** Settles when the pictures are taken, or could not be taken; at once when none were requested. */
  taken: Promise<void> = Promise.resolve();
  private isDue = true;

  constructor(
    private readonly stack: StackInfo,
    private readonly directory: string | undefined,
  ) {}

  /**
   * Waits until the role `absent` is deactivated, then takes the pictures. The role
   * `no-address` is shown in detail.
   */
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
