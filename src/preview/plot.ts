/** A plot of two lines, before and after, as SVG that needs neither script nor network. Colours come from the page. Pure. */
import { escaped } from './html.js';

export interface Plot {
  readonly title: string;
  /** Running sums, one for each day from the first. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const size = { width: 360, height: 170, left: 52, right: 20, top: 12, bottom: 24 } as const;
/** Points of a line; more are finer than the pixels. */
const mostPoints = 180;

/** @returns the sum up to each day */
export function runningSums(days: readonly number[], count: number): number[] {
  let sum = 0;
  return days.slice(0, count).map((one) => {
    sum += one;
    return sum;
  });
}

/** @returns a figure with a caption. The numbers of both ends stand in its description, for those who can't see it */
export function plotFigure({ title, before, after }: Plot): string {
  const [first, last] = [before.at(-1) ?? 0, after.at(-1) ?? 0];
  const days = Math.max(1, before.length - 1);
  return linesFigure({
    caption: `${title}: ${first} → ${last}`,
    told: `${title} within ${days} days: ${first} before, ${last} after`,
    dashed: before,
    solid: after,
  });
}

export interface Lines {
  readonly caption: string;
  /** The same for those who can't see the lines, with the numbers of their ends. */
  readonly told: string;
  /** One number for each day from the first; both of the same length. Absent: one line only. */
  readonly dashed?: readonly number[];
  readonly solid: readonly number[];
}

/** @returns a figure with one or two lines, over days */
export function linesFigure({ caption, told, dashed, solid }: Lines): string {
  const highest = Math.max(1, ...(dashed ?? []), ...solid);
  const days = Math.max(1, solid.length - 1);
  const top = niceAbove(highest);
  const { width, height } = size;
  return `<figure><figcaption>${escaped(caption)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(told)}">
${[0, top / 2, top].map((value) => gridLine(value, top)).join('\n')}
${[0, Math.round(days / 2), days].map((day) => dayLabel(day, days)).join('\n')}
${dashed === undefined ? '' : `<polyline class="before" points="${points(dashed, top)}"/>\n`}<polyline class="after" points="${points(solid, top)}"/>
</svg></figure>`;
}

const xOf = (day: number, days: number) =>
  size.left + ((size.width - size.left - size.right) * day) / Math.max(1, days);
const yOf = (value: number, top: number) =>
  size.height - size.bottom - ((size.height - size.top - size.bottom) * value) / top;
const short = (value: number) => String(Math.round(value * 10) / 10);

function gridLine(value: number, top: number): string {
  const y = short(yOf(value, top));
  return `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${y}" y2="${y}"/><text x="${size.left - 6}" y="${y}" class="value">${Intl.NumberFormat('en', { notation: 'compact' }).format(value)}</text>`;
}

function dayLabel(day: number, days: number): string {
  return `<text class="day" x="${short(xOf(day, days))}" y="${size.height - 8}">${day} d</text>`;
}

function points(values: readonly number[], top: number): string {
  const last = values.length - 1;
  const step = Math.max(1, Math.ceil(last / mostPoints));
  return values
    .flatMap((value, day) =>
      day % step === 0 || day === last ? [`${short(xOf(day, last))},${short(yOf(value, top))}`] : [],
    )
    .join(' ');
}

/** The next of 2, 4, 10, 20, 40, 100 and so on: its half is a number that reads well. */
function niceAbove(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest));
  return [2, 4, 10].map((factor) => factor * power).find((value) => value >= highest) ?? 10 * power;
}
