/** What the direct client offers: {@link Dormouse}, with whole standings. Types only. */
import type { Standing } from '../domain/standing.js';
import type { Dormouse, StandingDetails } from './types.js';

export interface DirectDormouse extends Dormouse {
  standing(identityId: string): Promise<Standing | undefined>;
  liveStanding(identityId: string): Promise<Standing & StandingDetails>;
}
