/** Guards of absence and holds: nobody is forgotten by one wrong answer, nor touched on hold. */
import type { Guard } from './guard.js';

const rules = 'src/domain/lifecycle/absence.ts';
const control = 'src/absence/control.ts';
const unit = { project: 'unit', tests: ['test/domain/absence.test.ts'] } as const;
const system = { project: 'system', tests: ['test/integration/absence.test.ts'] } as const;

export const absenceGuards: readonly Guard[] = [
  {
    name: 'absence: an identity that is being deleted stands for nobody',
    file: 'src/absence/witnesses-table.ts',
    find: "isBeingDeleted('witness.identity_id')",
    replace: "'false'",
    ...system,
    only: 'everybody at once',
  },
  {
    name: 'absence: a look without a control counts for nothing',
    file: rules,
    find: "if (absence.control !== 'witnessed') {",
    replace: 'if (false) {',
    ...unit,
  },
  {
    name: 'absence: looks keep a distance',
    file: rules,
    find: 'if (missing.lastLookAt !== undefined && now < missing.lastLookAt + spacingMs(rules)) return missing;',
    replace: '',
    ...unit,
  },
  {
    name: 'absence: an operator’s word from before does not count',
    file: rules,
    find: 'if (confirmation !== undefined && confirmation.at >= missing.since) {',
    replace: 'if (confirmation !== undefined) {',
    ...unit,
  },
  {
    name: 'absence: nobody is buried by a look that says nothing',
    file: 'src/domain/lifecycle/decide.ts',
    find: 'if (at === undefined || now < at || missing.doubt !== undefined) {',
    replace: 'if (at === undefined || now < at) {',
    ...unit,
  },
  {
    name: 'absence: a hold stops a burial',
    file: 'src/domain/lifecycle/decide.ts',
    find: '  if (hold !== undefined) return waitForHold(hold);\n  return heldByBreaker',
    replace: '  return heldByBreaker',
    ...unit,
  },
  {
    name: 'absence: another installation shows by dates of creation',
    file: control,
    find: 'return identity !== undefined && identity.created_at !== createdAt;',
    replace: 'return false;',
    ...system,
  },
  {
    name: 'absence: more than half of the others must be there',
    file: control,
    find: "if (present * 2 > witnesses.length) return { control: 'witnessed' };",
    replace: "if (present > 0) return { control: 'witnessed' };",
    ...system,
  },
  {
    name: 'absence: the burial looks for itself',
    file: 'src/activities/burial.ts',
    find: "if ((await readIdentity(identities, identityId)) !== undefined) return { outcome: 'back' };",
    replace: '',
    ...system,
  },
  {
    name: 'absence: the burial has a control of its own',
    file: 'src/activities/burial.ts',
    find: "if (control !== 'witnessed' && !isConfirmed) return { outcome: 'doubted' };",
    replace: '',
    ...system,
  },
  {
    name: 'deletion: only an identity that was there is deleted',
    file: 'src/activities/kratos-deletion.ts',
    find: "return isOurs ? deletedFor(deps, identityId) : stopped(deps, request, { outcome: 'gone' });",
    replace: "return isOurs ? deletedFor(deps, identityId) : { outcome: 'done' };",
    ...system,
  },
  {
    name: 'deletion: an absence is believed by a control only',
    file: 'src/activities/kratos-deletion.ts',
    find: "if (control === 'doubted') throw",
    replace: 'if (false) throw',
    ...system,
  },
  {
    name: 'holds: read inside the last look',
    file: 'src/looks/last-look.ts',
    find: "return { outcome: 'left-alone', because: 'hold' };",
    replace: '',
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
  {
    name: 'holds: a burial heeds them',
    file: 'src/activities/burial.ts',
    find: "if (await isOnHold(pool, identityId, await clock.now())) return { outcome: 'on-hold' };",
    replace: '',
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
  {
    name: 'holds: an id is never given twice',
    file: 'src/holds/holds-table.ts',
    find: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
    replace: 'SELECT length($1)',
    project: 'system',
    tests: ['test/integration/holds.test.ts'],
  },
];
