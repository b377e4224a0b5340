/**
 * Many lives in one skipped time, each on its course with at most one fault, on the real servers behind the proxies. Each
 * expedition has a time-skipping server of its own: what a server has seen makes it slower, and its clock only goes on.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { claimMs } from '../../../src/mail/mails-table.js';
import { createPool } from '../../../src/postgres/pool.js';
import { StepError } from '../../../src/process/step-error.js';
import { type RetryParkedUpdate, retryParkedUpdate } from '../../../src/workflows/messages.js';
import { type Journey, type LifecycleHandle, openHarness } from '../../support/harness/open.js';
import { testIdentifierKey } from '../../support/system-outside.js';
import type { PlannedFault } from './call-book.js';
import { type Course, courses, dayOf, lastDay, policies } from './courses.js';
import type { Evidence } from './judge.js';
import type { FaultCase } from './plan-faults.js';
import type { Surroundings } from './surroundings.js';

/** What was found of one life. */
export type Found = Evidence & { readonly course: Course };

interface Traveller {
  readonly id: string;
  readonly email: string;
  readonly course: Course;
  readonly fault: FaultCase | undefined;
  readonly handle: LifecycleHandle;
}

export class Expedition {
  private constructor(
    private readonly surroundings: Surroundings,
    readonly journey: Journey,
    readonly taskQueue: string,
    private readonly workerPool: pg.Pool,
  ) {}

  static async begin(surroundings: Surroundings): Promise<Expedition> {
    const journey = await openHarness({ time: 'skipping' });
    const workerPool = createPool({ url: surroundings.postgresUrl });
    const taskQueue = await journey.startWorkers(
      { ...surroundings.environment, DORMOUSE_IDENTIFIER_KEY: testIdentifierKey },
      {
        pool: workerPool,
        wrap: (activities) => surroundings.book.wrap(waitingForClaims(activities)),
        // A thousand that wake each day, one after the other.
        cachedWorkflows: 2_000,
      },
    );
    for (const policy of policies) await journey.publish(policy);
    return new Expedition(surroundings, journey, taskQueue, workerPool);
  }

  /** Lets everybody live to the end of their course. @returns what the world shows of each then */
  async travel(party: readonly { course: Course; fault?: FaultCase }[]): Promise<Found[]> {
    const startedAt = await this.journey.now();
    const travellers = await inLanes(party, 8, ({ course, fault }) => this.enrol(course, fault, startedAt));
    const found = new Map<string, Found>();
    for (const day of stops()) {
      await this.journey.travelTo(dayOf(startedAt, day));
      await this.act(travellers, day, startedAt);
      await this.retryParked(travellers.filter(({ id }) => !found.has(id)));
      for (const traveller of travellers.filter(({ course }) => course.untilDay === day)) {
        found.set(traveller.id, await this.evidenceOf(traveller));
        await traveller.handle.terminate('course is over').catch(() => undefined);
      }
    }
    return travellers.flatMap(({ id }) => found.get(id) ?? []);
  }

  private async enrol(course: Course, fault: FaultCase | undefined, startedAt: number): Promise<Traveller> {
    const email = `f-${randomUUID()}@example.com`;
    const { data } = await this.journey.people.identities.createIdentity({
      createIdentityBody: { schema_id: 'person', traits: { email } },
    });
    const { id } = data;
    const planned: PlannedFault | undefined = fault;
    this.surroundings.book.open(id, email, planned);
    const handle = await this.journey.enrol(id, this.taskQueue, {
      policyId: course.policyId,
      activity: { human: startedAt },
    });
    return { id, email, course, fault, handle };
  }

  private async act(travellers: readonly Traveller[], day: number, startedAt: number): Promise<void> {
    for (const { id, handle, course } of travellers) {
      if (course.fromDay === day) this.surroundings.book.mark(id);
      await course.acts[day]?.(this.journey, { id, handle, startedAt });
    }
  }

  /** An operator looks once a day and retries what is parked. */
  async retryParked(travellers: readonly Pick<Traveller, 'id' | 'handle'>[]): Promise<void> {
    const parked = await this.journey.pool.query<{ identity_id: string }>(
      "SELECT identity_id FROM standing WHERE identity_id = ANY($1) AND document ? 'parked'",
      [travellers.map(({ id }) => id)],
    );
    const ids = new Set(parked.rows.map((row) => row.identity_id));
    for (const { id, handle } of travellers) {
      if (!ids.has(id)) continue;
      const args: [RetryParkedUpdate] = [{ schemaVersion: 1, actor: 'op-1' }];
      await handle.startUpdate(retryParkedUpdate, { args, waitForStage: 'ACCEPTED' });
    }
  }

  private async evidenceOf({ id, email, course, fault, handle }: Traveller): Promise<Found> {
    // A retry that was asked for a moment ago is carried out first.
    await this.journey.rest(handle);
    const { identities } = this.journey.people;
    const answer = await identities.getIdentity({ id }, { validateStatus: () => true });
    const state = answer.data.state === 'inactive' ? 'inactive' : 'active';
    const isShell = JSON.stringify(answer.data.traits ?? {}).includes('@example.invalid');
    const { status } = await handle.describe();
    const standing = await this.journey.pool.query<{ stage: string; parked: boolean }>(
      "SELECT stage, document ? 'parked' AS parked FROM standing WHERE identity_id = $1",
      [id],
    );
    const row = standing.rows[0];
    return {
      id,
      email,
      course,
      fault,
      struck: this.surroundings.book.wasStruck(id),
      audit: await this.journey.audit(id),
      mails: this.surroundings.mailServer.taken.filter(({ to }) => to === email),
      kratos: answer.status === 404 ? 'absent' : isShell ? 'shell' : state,
      isOver: course.end === 'deleted' ? status.name === 'COMPLETED' : row?.stage === 'active',
      isParked: row?.parked ?? false,
    };
  }

  async end(): Promise<void> {
    await this.journey.end();
    await this.workerPool.end();
  }
}

type Activity = (input: unknown) => Promise<unknown>;

/**
 * PostgreSQL's clock, by which a claim to a mail ends, is not skipped: an attempt that finds a claim waits for its end. Otherwise all
 * attempts would be spent in the seconds that a claim stands.
 */
function waitingForClaims(activities: object): object {
  if (!('sendMail' in activities)) return activities;
  const sendMail = activities.sendMail as Activity;
  const patiently: Activity = (input) =>
    sendMail(input).catch(async (error: unknown) => {
      if (error instanceof StepError && error.type === 'MailUnderWay') await pause(claimMs);
      throw error;
    });
  return { ...activities, sendMail: patiently };
}

/** Each second day, and the days of the courses. */
function stops(): number[] {
  const days = new Set<number>();
  for (let day = 2; day <= lastDay; day += 2) days.add(day);
  for (const { acts, untilDay, fromDay } of courses) {
    for (const day of [...Object.keys(acts).map(Number), untilDay, fromDay]) if (day > 0) days.add(day);
  }
  return [...days].sort((a, b) => a - b);
}

/** Works at several items at once. @returns the results in the order of the items */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const [index, item] of queue) results[index] = await work(item);
    }),
  );
  return results;
}
