/**
 * The book of calls: which activity of which lifecycle is under way, what it asks of the outside systems, and which of
 * these requests is to go wrong. Filled by wrapped activities and by the proxies in front of the systems; all of them run
 * in the test's own process.
 */
import { Context } from '@temporalio/activity';

export type OutsideName = 'kratos' | 'hydra' | 'smtp' | 'postgres';

/** One request to one system, by its place in a course: the same in every run of the course. */
export interface Place {
  /** `disableIdentity#1`: the first activity of this type in the lifecycle. */
  readonly call: string;
  readonly system: OutsideName;
  /** Which request to the system within the activity, from 0 on. */
  readonly request: number;
}

export interface Touch extends Place {
  /** What was asked, without ids. */
  readonly what: string;
}

export interface PlannedFault<Kind extends string = string> extends Place {
  readonly kind: Kind;
}

/** Decides for each request anew, as weather does. */
export type Weather = (touch: Touch) => string | undefined;

interface Underway {
  readonly call: string;
  readonly counts: Map<OutsideName, number>;
}

interface Life {
  readonly seen: Set<string>;
  readonly perType: Map<string, number>;
  readonly touches: Touch[];
  readonly calls: string[];
  /** How many touches there were when {@link CallBook.mark} was called. */
  markedAt: number;
  underway: Underway | undefined;
  planned: PlannedFault | undefined;
  weather: Weather | undefined;
  struck: boolean;
}

type Activity = (input: unknown) => Promise<unknown>;

export class CallBook {
  private readonly lives = new Map<string, Life>();
  /** What the weather did, in order. */
  readonly storms: string[] = [];
  private readonly idOfAddress = new Map<string, string>();

  /** From now on requests for this identity are noted; at most one of them goes wrong. */
  open(identityId: string, address: string | undefined, planned?: PlannedFault, weather?: Weather): void {
    const life = {
      seen: new Set<string>(),
      perType: new Map<string, number>(),
      touches: [],
      calls: [],
      markedAt: 0,
    };
    this.lives.set(identityId, { ...life, underway: undefined, planned, weather, struck: false });
    if (address !== undefined) this.idOfAddress.set(address.toLowerCase(), identityId);
  }

  ownerOf(address: string): string | undefined {
    return this.idOfAddress.get(address.toLowerCase());
  }

  /** The first id in the text that is in the book. */
  idIn(text: string): string | undefined {
    return text.match(uuids)?.find((id) => this.lives.has(id));
  }

  /** Only what comes from now on is told by {@link touchesOf}. */
  mark(identityId: string): void {
    const life = this.lives.get(identityId);
    if (life !== undefined) life.markedAt = life.touches.length;
  }

  touchesOf(identityId: string): readonly Touch[] {
    const life = this.lives.get(identityId);
    return life === undefined ? [] : life.touches.slice(life.markedAt);
  }

  callsOf(identityId: string): readonly string[] {
    return this.lives.get(identityId)?.calls ?? [];
  }

  /** Whether the fault that was planned for it happened. */
  wasStruck(identityId: string): boolean {
    return this.lives.get(identityId)?.struck ?? false;
  }

  /** Notes a request. @returns the kind of fault that hits it */
  touch(identityId: string, system: OutsideName, what: string): string | undefined {
    const life = this.lives.get(identityId);
    const underway = life?.underway;
    if (life === undefined || underway === undefined) return undefined;
    const request = underway.counts.get(system) ?? 0;
    underway.counts.set(system, request + 1);
    const touch = { call: underway.call, system, request, what };
    life.touches.push(touch);
    const { planned, weather } = life;
    if (weather !== undefined) return this.counted(weather(touch));
    const isHit =
      planned !== undefined &&
      !life.struck &&
      planned.call === underway.call &&
      planned.system === system &&
      planned.request === request;
    if (!isHit) return undefined;
    life.struck = true;
    return planned.kind;
  }

  private counted(kind: string | undefined): string | undefined {
    if (kind !== undefined) this.storms.push(kind);
    return kind;
  }

  /** The same activities, each noting itself in the book. */
  wrap(activities: object): object {
    return Object.fromEntries(
      Object.entries(activities).map(([type, run]) => [type, this.noting(type, run as Activity)]),
    );
  }

  private noting(type: string, run: Activity): Activity {
    return async (input) => {
      const life = this.lives.get(identityOf(input) ?? '');
      if (life === undefined) return run(input);
      const { workflowExecution, activityId } = Context.current().info;
      const key = `${workflowExecution?.runId}/${activityId}`;
      if (!life.seen.has(key)) {
        life.seen.add(key);
        const nth = (life.perType.get(type) ?? 0) + 1;
        life.perType.set(type, nth);
        life.calls.push(`${type}#${nth}`);
      }
      const underway = { call: life.calls.at(-1) ?? type, counts: new Map<OutsideName, number>() };
      life.underway = underway;
      try {
        return await run(input);
      } finally {
        if (life.underway === underway) life.underway = undefined;
      }
    };
  }
}

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Every activity of a lifecycle says whom it is about. */
export function identityOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  if ('identityId' in input && typeof input.identityId === 'string') return input.identityId;
  return 'standing' in input ? identityOf(input.standing) : undefined;
}
