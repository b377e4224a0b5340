/** Holds activities back until a test lets them go, so that a message arrives exactly while one is under way. */

type Activity = (...args: unknown[]) => Promise<unknown>;

export interface Gate {
  /** Resolves when a call stands before the gate. */
  readonly reached: Promise<void>;
  open(): void;
}

interface ClosedGate {
  readonly activity: string;
  readonly stops: (input: never) => boolean;
  readonly opened: Promise<void>;
  readonly arrive: () => void;
}

export class Gates {
  private closed: ClosedGate[] = [];

  /** The next call of the activity whose input `stops` says yes to waits for {@link Gate.open}; only that one. */
  close<Input>(activity: string, stops: (input: Input) => boolean = () => true): Gate {
    const [opened, open] = latch();
    const [reached, arrive] = latch();
    this.closed.push({ activity, stops, opened, arrive });
    return { reached, open };
  }

  /** For the option of the same name of the test workers. */
  readonly wrap = (activities: object): object =>
    Object.fromEntries(
      Object.entries(activities).map(([name, activity]: [string, Activity]) => [
        name,
        async (...args: unknown[]) => {
          await this.pass(name, args[0]);
          return activity(...args);
        },
      ]),
    );

  private async pass(name: string, input: unknown): Promise<void> {
    const gate = this.closed.find(({ activity, stops }) => activity === name && stops(input as never));
    if (gate === undefined) return;
    this.closed = this.closed.filter((other) => other !== gate);
    gate.arrive();
    await gate.opened;
  }
}

function latch(): [opened: Promise<void>, open: () => void] {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [opened, open];
}
