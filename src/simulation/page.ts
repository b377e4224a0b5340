/** A simulation as one page that holds everything. Pure. */
import { rungNames } from '../domain/rungs.js';
import { listOf, plainTable, scrolling, wholePage } from '../preview/document.js';
import { linesFigure, runningSums } from '../preview/plot.js';
import { tripLines } from '../preview/table.js';
import { within } from '../preview/tally.js';
import type { Simulated } from './run.js';
import { basisLines, headline, shown, spansOf } from './table.js';

/** Days over which the counts of a plot by week are added up. */
const week = 7;

export function simulationPage(simulated: Simulated): string {
  const { tally, days, trips, policy } = simulated;
  const { persons } = tally;
  const spans = spansOf(days);
  const totals = shown.map(([what, name]) => [name, ...spans.map((span) => within(tally.days[what], span))]);
  const people = rungNames.map((rung) => [rung, persons.reached[rung], persons.returned[rung]]);
  const body = `<p>${headline(simulated)}.</p>
${listOf(basisLines(simulated))}
<ul class="moves"><li><strong>${persons.touched}</strong> got a notice or were reached</li><li><strong>${persons.back}</strong> of them came back</li><li><strong>${persons.reached.revoke}</strong> hit revocation</li><li><strong>${sum(tally.days.mails)}</strong> mails</li></ul>
<h2>How many, within how many days</h2>
${scrolling('How many, within how many days', plainTable(['step', ...spans.map((span) => `${span} d`)], totals))}
<h2>Different people</h2>
${scrolling('Different people', plainTable(['rung', 'reached', 'came back from it'], people))}
<h2>Breaker</h2>
${trips.length === 0 ? '<p>Lets every day pass.</p>' : `<p>Would trip. What it holds back is counted on its own day:</p>${listOf(tripLines(trips))}`}
<h2>Reached, and came back</h2>
<p class="legend"><span class="key after">reached by the rung</span> <span class="key before">came back from it</span></p>
<div class="plots">${rungNames.map((rung) => rungPlot(simulated, rung)).join('\n')}</div>
<h2>By week</h2>
<div class="plots">${(['mails', 'return', 'revoke'] as const).map((what) => weekPlot(simulated, what)).join('\n')}</div>`;
  return wholePage({ title: `Simulation of the policy "${policy.id}"`, body });
}

function rungPlot({ tally, days }: Simulated, rung: (typeof rungNames)[number]): string {
  const solid = runningSums(tally.days[rung], days);
  const dashed = runningSums(tally.returns[rung], days);
  const told = `${rung}: ${solid.at(-1) ?? 0} times reached, ${dashed.at(-1) ?? 0} returns`;
  return linesFigure({ caption: told, told: `${told}, within ${days} days`, dashed, solid });
}

const weekNames = { mails: 'mails', return: 'returns', revoke: 'revocations' } as const;

/** A point for each day: the sum of the seven days that end with it. */
function weekPlot({ tally, days }: Simulated, what: keyof typeof weekNames): string {
  const sums = runningSums(tally.days[what], days);
  const solid = sums.map((total, day) => total - (sums[day - week] ?? 0));
  const most = solid.reduce((highest, one) => Math.max(highest, one), 0);
  const told = `${weekNames[what]} in seven days: ${most} at most`;
  return linesFigure({ caption: told, told: `${told}, over ${days} days`, solid });
}

function sum(days: readonly number[]): number {
  return days.reduce((total, one) => total + one, 0);
}
