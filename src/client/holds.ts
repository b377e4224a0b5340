/** The client's holds: by the lifecycle where one runs, else written to PostgreSQL, where the next lifecycle reads them. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { normalText } from '../domain/free-text.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { type Hold, holdKindProblem } from '../domain/lifecycle/holds.js';
import { actorProblem, reasonProblem } from '../domain/names.js';
import { HoldRefusedError, releaseHoldDirectly, setHoldDirectly } from '../holds/without-lifecycle.js';
import {
  DormouseUnavailableError,
  InvalidRequestError,
  LifecycleEndedError,
  NotEnrolledError,
} from '../process/caller-errors.js';
import { holdUpdate, releaseUpdate } from '../workflows/messages.js';
import { updateId } from './checks.js';
import type { Lifecycles } from './temporal.js';
import type { Dormouse, HoldAnswer, WithoutLifecycle } from './types.js';

type Request<Name extends 'hold' | 'release'> = Parameters<Dormouse[Name]>[1];

interface Connections {
  readonly pool: pg.Pool;
  readonly lifecycles: Lifecycles;
  /** How long a call may take, milliseconds. */
  readonly timeoutMs: number;
}

export class Holds {
  constructor(private readonly connections: Connections) {}

  async hold(identityId: string, { requestId, ...request }: Request<'hold'>): Promise<HoldAnswer> {
    const id = parseIdentityId(identityId);
    const { updateId: key = randomUUID() } = updateId(requestId);
    const { until, kind = 'other', ...rest } = request;
    const update = { schemaVersion: 1 as const, ...rest, kind, until: Number(until) };
    return this.orDirectly(
      id,
      () => this.ask(id, (handle) => handle.executeUpdate(holdUpdate, { args: [update], updateId: key })),
      () =>
        setHoldDirectly(this.connections.pool, { ...decision(id, request, key), until: update.until, kind }),
    );
  }

  async release(identityId: string, { requestId, ...request }: Request<'release'>): Promise<HoldAnswer> {
    const id = parseIdentityId(identityId);
    const { updateId: key = randomUUID() } = updateId(requestId);
    const update = { schemaVersion: 1 as const, ...request };
    return this.orDirectly(
      id,
      () => this.ask(id, (handle) => handle.executeUpdate(releaseUpdate, { args: [update], updateId: key })),
      () => {
        const { holdId, kind } = request;
        const problem = holdKindProblem(kind);
        if (problem !== undefined) throw new InvalidRequestError(problem);
        return releaseHoldDirectly(this.connections.pool, {
          ...decision(id, request, key),
          ...given({ holdId, kind }),
        });
      },
    );
  }

  private ask<T>(id: string, question: Parameters<typeof Lifecycles.prototype.ask<T>>[2]): Promise<T> {
    return this.connections.lifecycles.ask(this.connections.timeoutMs, id, question);
  }

  private async orDirectly(
    id: string,
    byLifecycle: () => Promise<HoldAnswer>,
    directly: () => Promise<readonly Hold[]>,
  ): Promise<HoldAnswer> {
    try {
      return await byLifecycle();
    } catch (error) {
      if (!(error instanceof NotEnrolledError || error instanceof LifecycleEndedError)) throw error;
    }
    const holds = await stored(directly);
    // A lifecycle may have been started meanwhile. Its next look, and each last look, read what was written.
    await this.connections.lifecycles.lookAgain(this.connections.timeoutMs, id).catch(() => undefined);
    return withoutLifecycle(id, holds);
  }
}

function decision(
  identityId: string,
  { actor, reason }: { readonly actor: string; readonly reason: string },
  requestId: string,
) {
  const claimed = actorProblem(actor);
  if (claimed !== undefined) throw new InvalidRequestError(`actor: ${claimed}`);
  const problem = reasonProblem(reason);
  if (problem !== undefined) throw new InvalidRequestError(`reason: ${problem}`);
  return { identityId, actor, reason: normalText(reason), at: Date.now(), requestId };
}

async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldRefusedError) throw new InvalidRequestError(error.message);
    if (error instanceof InvalidRequestError) throw error;
    throw new DormouseUnavailableError('PostgreSQL', { cause: error });
  }
}

function withoutLifecycle(identityId: string, holds: readonly Hold[]): WithoutLifecycle {
  const why =
    holds.length === 0
      ? 'No lifecycle runs for this identity, and no hold is in force.'
      : 'No lifecycle runs for this identity. Its holds are stored: the first look of a lifecycle reads them. Check the id if you expected one.';
  return {
    schemaVersion: 1,
    identityId,
    stage: 'none',
    why,
    ...(holds.length > 0 && { holds }),
    warnings: [],
  };
}
