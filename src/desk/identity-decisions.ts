/** Which decisions about an identity a page offers: those that the reader may take, and that mean something where it stands. Pure. */
import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Exemption } from '../domain/exemption.js';
import type { Standing } from '../domain/standing.js';
import { may } from './show.js';

export interface Decisions {
  /** Whether there is any. */
  readonly some: boolean;
  /** Each empty where it is not offered, otherwise the address that its form is sent to. */
  readonly hold: string;
  readonly release: string;
  readonly reactivate: string;
  readonly retry: string;
  readonly skip: string;
  readonly look: string;
  readonly exempt: string;
  readonly review: string;
  readonly endExemption: string;
  readonly applyPolicy: string;
  /** Makes a form that is sent twice harmless. */
  readonly requestId: string;
}

export function decisionsFor(about: {
  readonly request: FastifyRequest;
  readonly standing: Standing | undefined;
  readonly exemption: Exemption | undefined;
  /** Of the identity's page. */
  readonly url: string;
}): Decisions {
  const { request, standing, exemption, url } = about;
  const runs = standing !== undefined && standing.stage !== 'deleted';
  const [holds, operates, exempts] = (
    ['holds:place', 'identities:operate', 'exemptions:decide'] as const
  ).map((scope) => may(request, scope));
  const offered = {
    retry: operates === true && standing?.parked !== undefined,
    skip: operates === true && standing?.parked !== undefined,
    reactivate: operates === true && standing?.stage === 'deactivated',
    release: holds === true && (standing?.holds ?? []).length > 0,
    hold: holds === true && standing?.stage !== 'deleted',
    exempt: exempts === true && exemption === undefined && standing?.stage !== 'deleted',
    review: exempts === true && exemption !== undefined,
    endExemption: exempts === true && exemption !== undefined,
    look: runs && may(request, 'identities:enrol'),
    applyPolicy: operates === true && runs,
  };
  const addresses = Object.fromEntries(
    Object.entries(offered).map(([name, isOffered]) => [
      name,
      isOffered ? `${url}/${paths[name as keyof typeof offered]}` : '',
    ]),
  ) as Record<keyof typeof offered, string>;
  return { ...addresses, some: Object.values(offered).includes(true), requestId: randomUUID() };
}

/** The last segment of each form's address: the names of the API's routes. */
const paths = {
  ...{
    retry: 'retry-parked',
    skip: 'skip-parked',
    reactivate: 'reactivate',
    release: 'release',
    hold: 'hold',
  },
  ...{ exempt: 'exempt', review: 'review-exemption', endExemption: 'end-exemption' },
  ...{ look: 'look-again', applyPolicy: 'apply-policy' },
} as const;
