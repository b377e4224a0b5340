/** Last uses of credentials: noted on the path of a request, written a few minutes later in one statement for all. */

export interface LastUsesOptions {
  /** @param uses epoch milliseconds by id */
  readonly write: (uses: ReadonlyMap<string, number>) => Promise<void>;
  /** Between two statements, milliseconds. */
  readonly everyMs: number;
  readonly onError: (error: unknown) => void;
}

export class LastUses {
  private waiting = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: LastUsesOptions) {}

  note(id: string, at: number): void {
    this.waiting.set(id, Math.max(at, this.waiting.get(id) ?? at));
    this.timer ??= setTimeout(() => void this.flush(), this.options.everyMs).unref();
  }

  /** Writes what waits. What could not be written waits for the next time. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const uses = this.waiting;
    if (uses.size === 0) return;
    this.waiting = new Map();
    try {
      await this.options.write(uses);
    } catch (error) {
      for (const [id, at] of uses) this.note(id, at);
      this.options.onError(error);
    }
  }

  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.timer);
  }
}
