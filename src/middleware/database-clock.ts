/** The database's clock, so that instances agree whatever their machines' clocks say. */

export class DatabaseClock {
  /** Of the database against the monotonic clock, milliseconds. */
  private offset: number | undefined;

  /** @param databaseNow what the database answered; `askedAt`: the monotonic time before the question */
  set(databaseNow: number, askedAt: number): void {
    this.offset = databaseNow - (askedAt + performance.now()) / 2;
  }

  /** Epoch milliseconds, whole. Until the database answered, the machine's own. */
  now = (): number => Math.floor(this.offset === undefined ? Date.now() : performance.now() + this.offset);
}
