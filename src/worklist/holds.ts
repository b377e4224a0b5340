/** Holds that end soon, so that nobody is surprised when the ladder continues. */
import { kindOfHold } from '../domain/lifecycle/holds.js';
import { wayOutOfWork } from './rules.js';
import type { WorkQuery } from './source.js';
import { type Selection, standingSource } from './standings.js';

/**
 * Only the end of the last hold changes anything. Standings from before several were possible have no list.
 */
function endingSoon({ now, holdEndsWithinMs }: WorkQuery): Selection {
  const until = "(document #>> '{hold,until}')::bigint";
  return {
    // guard: work list: holds that end soon
    where: `document ? 'hold' AND ${until} > $1 AND ${until} <= $2`,
    values: [now, now + holdEndsWithinMs],
  };
}

export const holdSource = standingSource('hold-ends', endingSoon, ({ hold, holds }) => ({
  subject: hold === undefined ? 'unknown' : `${hold.id ?? 'h1'} (${kindOfHold(hold)})`,
  why: `on hold (${hold?.reason ?? ''}), set by ${hold?.actor ?? ''}; ${(holds?.length ?? 1) > 1 ? 'the last of several' : 'the only one'}`,
  wayOut: wayOutOfWork('hold-ends'),
  ...(hold === undefined ? {} : { since: hold.since, dueAt: hold.until }),
}));
