/** The client's decisions about exemptions: checked, written, and the lifecycle woken. */

import type pg from 'pg';
import { type Exemption, exemptionKinds, reviewProblem } from '../domain/exemption.js';
import { normalText } from '../domain/free-text.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { actorProblem, opaqueNamePattern, reasonProblem } from '../domain/names.js';
import {
  ExemptionRefusedError,
  endExemption,
  reviewExemption,
  setExemption,
} from '../exemptions/exemptions-table.js';
import { DormouseUnavailableError, InvalidRequestError } from '../process/caller-errors.js';
import { updateId } from './checks.js';
import type { Dormouse } from './types.js';

type Request<Name extends 'exempt' | 'reviewExemption' | 'endExemption'> = Parameters<Dormouse[Name]>[1];

export class Exemptions {
  constructor(
    private readonly pool: pg.Pool,
    /** Makes the lifecycle look again, where one runs. */
    private readonly lookAgain: (identityId: string) => Promise<void>,
  ) {}

  exempt(identityId: string, request: Request<'exempt'>): Promise<Exemption> {
    return this.decide(identityId, request, (decision) => {
      const { kind, owner, requestId } = request;
      if (!exemptionKinds.includes(kind)) {
        throw new InvalidRequestError(
          `kind: is not a kind of exemption. Pass one of ${exemptionKinds.join(', ')}`,
        );
      }
      updateId(requestId);
      const reviewAt = checkedReview(request.reviewAt, decision.at);
      return setExemption(this.pool, {
        ...decision,
        ...{ kind, reviewAt, owner: checkedOwner(owner) },
        ...given({ requestId }),
      });
    });
  }

  review(identityId: string, request: Request<'reviewExemption'>): Promise<Exemption> {
    return this.decide(identityId, request, (decision) => {
      const reviewAt = checkedReview(request.reviewAt, decision.at);
      const owner = request.owner === undefined ? {} : { owner: checkedOwner(request.owner) };
      return reviewExemption(this.pool, { ...decision, reviewAt, ...owner });
    });
  }

  end(identityId: string, request: Request<'endExemption'>): Promise<Exemption> {
    return this.decide(identityId, request, (decision) => endExemption(this.pool, decision));
  }

  private async decide(
    identityId: string,
    { actor, reason }: { readonly actor: string; readonly reason: string },
    carryOut: (decision: {
      identityId: string;
      actor: string;
      reason: string;
      at: number;
    }) => Promise<Exemption>,
  ): Promise<Exemption> {
    const id = parseIdentityId(identityId);
    const claimed = actorProblem(actor);
    if (claimed !== undefined) throw new InvalidRequestError(`actor: ${claimed}`);
    const problem = reasonProblem(reason);
    if (problem !== undefined) throw new InvalidRequestError(`reason: ${problem}`);
    const exemption = await this.stored(() =>
      carryOut({ identityId: id, actor, reason: normalText(reason), at: Date.now() }),
    );
    // Best effort: without a running lifecycle, or while Temporal is down, the next look and the last look
    // of each deed read the exemption.
    await this.lookAgain(id).catch(() => undefined);
    return exemption;
  }

  private async stored(work: () => Promise<Exemption>): Promise<Exemption> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ExemptionRefusedError) throw new InvalidRequestError(error.message);
      if (error instanceof InvalidRequestError) throw error;
      throw new DormouseUnavailableError('PostgreSQL', { cause: error });
    }
  }
}

function checkedReview(time: Date | number, now: number): number {
  const reviewAt = Number(time);
  const problem = reviewProblem(reviewAt, now);
  if (problem !== undefined) throw new InvalidRequestError(`reviewAt: ${problem}`);
  return Math.round(reviewAt);
}

function checkedOwner(owner: string): string {
  checkName('owner', owner);
  return owner;
}

function checkName(field: string, name: string): void {
  if (typeof name === 'string' && opaqueNamePattern.test(name)) return;
  throw new InvalidRequestError(
    `${field}: must be an opaque id of at most 64 letters, digits and . _ : / - (an identity id, a team), never an e-mail address`,
  );
}
