/** Guards of absence and holds: nobody is forgotten by one wrong answer, nor touched on hold. */
import type { Guard } from './guard.js';

const unit = { project: 'unit', tests: ['test/domain/absence.test.ts'] } as const;
const system = { project: 'system', tests: ['test/integration/absence.test.ts'] } as const;

export const absenceGuards: readonly Guard[] = [
  {
    name: 'absence: an identity that is being deleted stands for nobody',
    takenOut: { part: "isBeingDeleted('witness.identity_id')", becomes: "'false'" },
    ...system,
    only: 'everybody at once',
  },
  {
    name: 'absence: a look without a control counts for nothing',
    takenOut: { condition: false },
    ...unit,
  },
  {
    name: 'absence: looks keep a distance',
    takenOut: 'left out',
    ...unit,
  },
  {
    name: 'absence: an operator’s word from before does not count',
    takenOut: {
      part: 'if (confirmation !== undefined && confirmation.at >= missing.since) {',
      becomes: 'if (confirmation !== undefined) {',
    },
    ...unit,
  },
  {
    name: 'absence: nobody is buried by a look that says nothing',
    takenOut: {
      part: 'now >= at && missing.doubt === undefined',
      becomes: 'now >= at',
    },
    ...unit,
  },
  {
    name: 'absence: a hold stops a burial',
    takenOut: 'left out',
    ...unit,
  },
  {
    name: 'absence: another installation shows by dates of creation',
    takenOut: { value: 'false' },
    ...system,
  },
  {
    name: 'absence: more than half of the others must be there',
    takenOut: {
      part: "if (present * 2 > witnesses.length) return { control: 'witnessed' };",
      becomes: "if (present > 0) return { control: 'witnessed' };",
    },
    ...system,
  },
  {
    name: 'absence: the burial looks for itself',
    takenOut: 'left out',
    ...system,
  },
  {
    name: 'absence: the burial has a control of its own',
    takenOut: 'left out',
    ...system,
  },
  {
    name: 'deletion: only an identity that was there is deleted',
    takenOut: { value: "isOurs ? deletedFor(deps, identityId) : { outcome: 'done' }" },
    ...system,
  },
  {
    name: 'deletion: an absence is believed by a control only',
    takenOut: { condition: false },
    ...system,
  },
  {
    name: 'holds: read inside the last look',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
  {
    name: 'holds: a burial heeds them',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
  {
    name: 'holds: an id is never given twice',
    takenOut: { part: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', becomes: 'SELECT length($1)' },
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
  {
    name: 'holds: a repeated release without a lifecycle ends no second hold',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/holds-without-lifecycle.test.ts'],
    only: 'ends no second hold of the same kind',
  },
  {
    name: 'holds: changes without a lifecycle come one at a time',
    takenOut: 'left out',
    project: 'system',
    tests: ['test/integration/holds-without-lifecycle.test.ts'],
    only: 'waits for another one that is being written',
  },
  {
    name: 'holds: a hold that was set twice by one request stays one',
    takenOut: { part: '.filter(({ id }) => id !== to)', becomes: '' },
    project: 'system',
    tests: ['test/integration/holds-without-lifecycle.test.ts'],
    only: 'ten times at once is one hold',
  },
  {
    name: 'preview: it notes no witness',
    takenOut: {
      part: 'if (!input.isPreview) await witnesses.note(identity, now);',
      becomes: 'await witnesses.note(identity, now);',
    },
    project: 'system',
    tests: ['test/integration/enrol-all.test.ts'],
    only: 'leaves every row of every table as it was',
  },
  {
    name: 'preview: it keeps no return address',
    takenOut: {
      part: 'deps.identifierKey !== undefined && !input.isPreview) {',
      becomes: 'deps.identifierKey !== undefined) {',
    },
    project: 'system',
    tests: ['test/integration/enrol-all.test.ts'],
    only: 'leaves every row of every table as it was',
  },
];
