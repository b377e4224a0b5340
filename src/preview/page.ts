/** A preview as one page that holds everything: it loads nothing, and only its sorting needs a script. Pure. */
import { rungNames } from '../domain/rungs.js';
import type { Comparison } from './comparison.js';
import { csvHeader, csvOf, dateOf } from './csv.js';
import { listOf, scrolling, wholePage } from './document.js';
import { escaped } from './html.js';
import { sortScript } from './page-assets.js';
import { plotFigure, runningSums } from './plot.js';
import type { Preview } from './run.js';
import { leftOut, tripLines } from './table.js';
import { totalled, within } from './tally.js';

/** @param people those to be listed, as {@link Worst} has them */
export function previewPage(preview: Preview, people: readonly Comparison[]): string {
  const { tally, policyId, inForce, now, hash } = preview;
  const title = `Preview of a policy for "${policyId}"`;
  const { moves } = tally;
  const body = `<p>${tally.people} people, compared with ${escaped(inForce)}, as of ${new Date(now).toISOString()}. As if everybody were looked at then, nobody came back, and every mail arrived where there is an address.</p>
<ul class="moves"><li><strong>${moves.earlier}</strong> earlier</li><li><strong>${moves.later}</strong> later</li><li><strong>${moves.same}</strong> as before</li></ul>
${leftOut(tally)
  .map((sentence) => `<p>${sentence}.</p>`)
  .join('')}
<h2>How many, within how many days</h2>
${totals(preview)}
<h2>Breaker</h2>
${breaker(preview)}
<h2>Why they move</h2>
${reasons(preview)}
<p class="legend"><span class="key before">before</span> <span class="key after">after</span></p>
<h2>The next 90 days</h2>
${plots(preview, 90)}
<h2>The next 730 days</h2>
${plots(preview, 730)}
<h2>By person</h2>
${persons(preview, people)}
<p>Preview <code>${hash}</code></p>`;
  return wholePage({ title, body, script: sortScript });
}

function totals({ tally }: Preview): string {
  const spans = [1, 30, 90, 365, 730];
  const rows = totalled.map((what) => {
    const cells = spans.map((days) => {
      const [before, after] = [tally.before, tally.after].map((side) => within(side.days[what], days));
      return `<td>${before} → ${after}</td>`;
    });
    return `<tr><th scope="row">${what}</th>${cells.join('')}</tr>`;
  });
  const head = spans.map((days) => `<th scope="col">${days} d</th>`).join('');
  return scrolling(
    'How many, within how many days',
    `<table><thead><tr><th scope="col">step</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
  );
}

function breaker({ tripsAfter, tripsBefore }: Preview): string {
  const lines = tripLines(tripsAfter);
  const before = `<p>Under the policy in force it trips on ${tripsBefore.length} days.</p>`;
  if (lines.length === 0) return `<p>Lets every day pass.</p>${before}`;
  return `<p>Would trip:</p>${listOf(lines)}${before}`;
}

function reasons({ tally: { why } }: Preview): string {
  const sorted = [...why].sort(([, one], [, other]) => other - one).slice(0, 20);
  if (sorted.length === 0) return '<p>Nobody moves.</p>';
  return listOf(sorted.map(([reason, count]) => `${count} ${reason}`));
}

function plots({ tally: { before, after } }: Preview, days: number): string {
  const figures = totalled.map((title) =>
    plotFigure({
      title,
      before: runningSums(before.days[title], days + 1),
      after: runningSums(after.days[title], days + 1),
    }),
  );
  return `<div class="plots">${figures.join('\n')}</div>`;
}

function persons({ tally: { moves } }: Preview, people: readonly Comparison[]): string {
  const moving = moves.earlier + moves.later;
  if (moving === 0) return '<p>Nobody moves.</p>';
  const all = people.length === moving ? '' : ' All of them: <code>dormouse policy preview … --csv</code>.';
  const csv = Buffer.from([csvHeader, ...people.map(csvOf)].join('')).toString('base64');
  const heads = ['identity', 'stage', 'last active', 'moves', 'rung', 'days', 'why', ...rungNames];
  return `<p>${people.length} of ${moving} who move, those who move furthest to an earlier day first.${all}
<a download="preview.csv" href="data:text/csv;base64,${csv}">Save as CSV</a></p>
${scrolling(
  'By person',
  `<table class="sortable"><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${people.map(personRow).join('\n')}</tbody></table>`,
)}`;
}

function personRow(person: Comparison): string {
  const { identityId, stage, lastActiveAt, move, rung = '', days = '', why } = person;
  const cells = [identityId, stage, dateOf(lastActiveAt), move, rung, String(days), why];
  const dates = rungNames.map((name) => {
    const [before, after] = [person.datesBefore[name], person.datesAfter[name]].map(dateOf);
    if (before === after) return after ?? '';
    return `${before === '' ? '–' : before} → ${after === '' ? '–' : after}`;
  });
  return `<tr>${[...cells, ...dates].map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}
