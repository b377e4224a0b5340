/** Reads Prometheus' text format 0.0.4, strictly: what a scrape would refuse is an error here. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Page {
  readonly samples: readonly Sample[];
  /** By name of the family. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)",?/gy;

/** @throws Error naming the line that is not in the format, or a family that is described twice */
export function parsePage(text: string): Page {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      const described = keyword === 'HELP' ? helps : types;
      if (described.has(name)) throw new Error(`${name} is described twice`);
      described.set(name, rest);
    } else if (line !== '' && !line.startsWith('#')) samples.push(sampleOf(line));
  }
  return { samples, types, helps };
}

function sampleOf(line: string): Sample {
  const [, name, labelText = '', text = ''] = sampleLine.exec(line) ?? [];
  const value = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
  if (name === undefined || (Number.isNaN(value) && text !== 'NaN')) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let read = 0;
  for (const [whole, label = '', content = ''] of labelText.matchAll(labelPair)) {
    labels[label] = content;
    read += whole.length;
  }
  if (read !== labelText.length) throw new Error(`labels are not in the format: ${line}`);
  return { name, labels, value };
}

/** @returns the value of the sample with these labels, among others */
export function sampleValue(
  page: Page,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return page.samples.find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;
}
