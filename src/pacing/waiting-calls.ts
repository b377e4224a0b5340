/** Calls that wait for their place, and who is next. */

/** Most urgent first. Work that has begun goes before work that has not: its looks must not grow old. */
export const ranks = ['person', 'under-way', 'step', 'sweep'] as const;
export type Rank = (typeof ranks)[number];

export interface WaitingCall {
  readonly rank: Rank;
  go(): void;
  refuse(error: Error): void;
}

/** One place in so many goes to the least urgent call, so that nobody waits for ever. */
const shareOfTheLast = 5;

export interface WaitingCalls {
  readonly size: number;
  add(call: WaitingCall): void;
  /** Takes the next one out. */
  next(): WaitingCall | undefined;
  /** Takes all out. */
  all(): WaitingCall[];
}

export function createWaitingCalls(): WaitingCalls {
  const queues = new Map<Rank, WaitingCall[]>(ranks.map((rank) => [rank, []]));
  let given = 0;
  return {
    get size() {
      return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
    },
    add: (call) => queues.get(call.rank)?.push(call),
    next() {
      given += 1;
      const order = [...queues.values()].filter(({ length }) => length > 0);
      // guard: pace: a sweep is not kept waiting for ever
      const queue = given % shareOfTheLast === 0 ? order.at(-1) : order[0];
      return queue?.shift();
    },
    all: () => [...queues.values()].flatMap((queue) => queue.splice(0)),
  };
}
