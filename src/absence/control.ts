/**
 * The control behind each absence: does Kratos still know other identities that
 * it knew, and are they the same?
 */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import type { AbsenceControl } from '../domain/lifecycle/absence.js';
import { type KratosIdentity, readIdentity } from '../ory/kratos-identity.js';
import { StepError } from '../process/step-error.js';
import { noteWitness, readWitnesses } from './witnesses-table.js';

export interface ControlDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
}

export interface Control {
  readonly control: AbsenceControl;
  /** The reason for doubt. */
  readonly why?: string;
}

/**
 * Asks Kratos for identities that existed: the ones created last, which a restored backup lacks, and
 * the ones seen last. More than half of them must exist, with their known creation date. To be called
 * after the look that it checks. One that Kratos answers in a form that is not known speaks for nobody.
 * @throws what {@link readIdentity} throws: without an answer there is no control
 */
export async function controlAbsence(
  { identities, pool }: ControlDependencies,
  identityId: string,
): Promise<Control> {
  const witnesses = await readWitnesses(pool, identityId);
  if (witnesses.length === 0) return { control: 'none' };
  const found = await Promise.all(
    witnesses.map(({ identityId: id }) => unlessUnreadable(readIdentity(identities, id))),
  );
  const others = witnesses.filter(({ createdAt }, index) => {
    const identity = found[index];
    // guard: absence: another installation shows by dates of creation
    return typeof identity === 'object' && identity.created_at !== createdAt;
  });
  if (others.length > 0) {
    return {
      control: 'doubted',
      why: 'Kratos has another date of creation for an identity that was there before. Is it the same installation?',
    };
  }
  const present = found.filter((identity) => typeof identity === 'object').length;
  // guard: absence: more than half of the others must be there
  if (present * 2 > witnesses.length) return { control: 'witnessed' };
  const absent = witnesses.length - present;
  const how = found.includes('unreadable') ? 'missing or can not be read' : 'missing';
  return {
    control: 'doubted',
    why: `${absent} of ${witnesses.length} others that were there before are ${how}, too. Is it the same Kratos, and is it whole?`,
  };
}

/** An identity that spoiled after it was noted would stop the control of all others for good. */
function unlessUnreadable(
  answer: Promise<KratosIdentity | undefined>,
): Promise<KratosIdentity | 'unreadable' | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof StepError && error.concernsOne) return 'unreadable' as const;
    throw error;
  });
}

/** Notes from time to time that an identity existed, so that it can serve as a witness for others. */
export class Witnesses {
  private noted = 0;
  private lastAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly pool: pg.Pool) {}

  /** @param now epoch milliseconds */
  async note({ id, created_at }: Pick<KratosIdentity, 'id' | 'created_at'>, now: number): Promise<void> {
    if (this.noted >= firstNotes && Math.abs(now - this.lastAt) < noteEveryMs) return;
    this.noted += 1;
    this.lastAt = now;
    await noteWitness(this.pool, { identityId: id, createdAt: created_at, seenAt: now });
  }
}

/**
 * Each process notes this many at once, and one a second after that: some are needed soon, and never many.
 */
const firstNotes = 16;
const noteEveryMs = 1_000;
