/** Whole simulated lives, held to the model of the workflow (test/domain/simulator.ts) with the same happenings. */
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/domain/policy/schema.js';
import { traceLine } from '../../src/forecast/course.js';
import type { Deed, MailFate } from '../../src/forecast/deed.js';
import { play } from '../../src/simulation/play.js';
import type { Happening, Player } from '../../src/simulation/player.js';
import { exponential, randomOf } from '../../src/simulation/random.js';
import { absentState, day, enabled, epoch, exactPolicy, planOf } from '../domain/fixtures.js';
import { policies } from '../domain/scenarios.js';
import { type Scheduled, Simulation } from '../domain/simulator.js';

const until = epoch + 1_000 * day;

interface Story {
  readonly lines: string[];
  readonly happenings: Happening[];
}

/** Somebody who comes every 45 days on average (200 where a link leads back), and takes a leave in the second year. */
function simulated(policy: Policy, seed: string, mailFate: MailFate): Story {
  const everyMs = (policy === linked ? 200 : 45) * day;
  const random = randomOf(seed);
  const from = Math.floor(epoch + (300 + 200 * random()) * day);
  const player: Player = {
    life: { state: absentState(), plan: planOf(policy), identity: enabled(), mailFate },
    // Whole milliseconds, as a clock has them.
    habit: (now) => Math.floor(now + exponential(everyMs, random)) + 1,
    kind: 'human',
    lastSeenAt: epoch,
    leaves: [{ from, until: from + 90 * day }],
    random: randomOf(`${seed}/answers`),
  };
  const deeds: Deed[] = [];
  const happenings: Happening[] = [];
  play(
    player,
    { from: epoch, until: until - 1 },
    { share: 0.2 },
    { deed: (deed) => deeds.push(deed), happening: (happening) => happenings.push(happening) },
  );
  return { lines: deeds.map(lineOf), happenings };
}

const lineOf = (deed: Deed) => traceLine(deed, epoch).replace(/ \((activity|operator|self-service)\)/, '');

/** What the model does when the same happens to the same person at the same times. */
function modelled(policy: Policy, happenings: readonly Happening[], fate: MailFate): string[] {
  let at = epoch;
  const scheduled = happenings.flatMap((happening): Scheduled[] => {
    const afterMs = happening.at - at;
    const seen = { do: 'seen', kind: 'human', agoMs: 0, signalled: true } as const;
    if (happening.what === 'turned-away' || happening.what === 'too-late') return [];
    at = happening.at;
    if (happening.what === 'link')
      return [
        { afterMs, what: { do: 'reactivate' } },
        { afterMs: 0, what: seen },
      ];
    if (happening.what === 'leave')
      return [{ afterMs, what: { do: 'hold', forMs: (happening.until ?? at) - at } }];
    return [{ afterMs, what: seen }];
  });
  const { history } = new Simulation({
    ...{ policies: [policy], lastSeenAt: epoch, enrolledAt: epoch, happenings: scheduled, until },
    ...{ luck: [fate], delaysMs: [0] },
  }).run();
  return history.flatMap((entry): string[] => {
    if (entry.type === 'completed')
      return [lineOf({ kind: 'rung', at: entry.at, rung: entry.rung, mails: 0 })];
    if (entry.type === 'returned')
      return [lineOf({ kind: 'return', at: entry.at, cause: entry.decision.cause, undo: [], mails: 0 })];
    if (entry.type !== 'decided' || entry.decision.kind !== 'notice') return [];
    const { rung } = entry.decision.rung;
    return [lineOf({ kind: 'notice', at: entry.situation.now, rung, leadMs: 0, rungAt: 0, mails: 0 })];
  });
}

/** The model tries a failed notice again at an even pace, which is not the workflow's. */
const firstTries = (lines: readonly string[]) =>
  lines.filter((line, index) => line.replace(/^\d+/, '') !== lines[index - 1]?.replace(/^\d+/, ''));

/** A postponement needs a click in a mail, which nobody simulates. */
const withoutKeep = policies.filter((policy) => policy.selfService?.keep === undefined);
const linked: Policy = {
  ...exactPolicy,
  selfService: { reactivation: { linkLifetime: 7 * day, exceptRoles: [] } },
};

describe('simulated lives and the model of the workflow', () => {
  it.each(['accepted', 'no-address'] as const)('any policy, 40 seeds, mails %s: the same trace', (fate) => {
    const kinds = new Set<string>();
    for (const [index, policy] of [...withoutKeep, linked].entries()) {
      for (let seed = 0; seed < 40; seed += 1) {
        const { lines, happenings } = simulated(policy, `${index}/${seed}`, fate);
        const model = modelled(policy, happenings, fate);
        const shown = fate === 'accepted' ? (all: string[]) => all : firstTries;
        expect(shown(lines), `policy ${index}, seed ${seed}`).toEqual(shown(model));
        for (const line of lines) kinds.add(line.replace(/^\d+ /, ''));
        for (const { what } of happenings) kinds.add(what);
      }
    }
    // Otherwise little would be compared.
    expect([...kinds]).toEqual(
      expect.arrayContaining(['leave', 'seen', 'return', 'warn', 'revoke', 'notice of revoke']),
    );
    if (fate === 'accepted')
      expect([...kinds]).toEqual(expect.arrayContaining(['delete', 'link', 'too-late']));
  });
});
