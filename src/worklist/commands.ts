/** `dormouse worklist`: everything that waits for a person's decision. */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { atGateway } from '../cli/desk.js';
import { durationFlag } from '../cli/durations.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { say, sayJson } from '../cli/output.js';
import { pagesOf } from '../cli/pages.js';
import type { worklistAnswer } from './routes.js';
import { type WorkKind, workKinds } from './rules.js';

type Page = z.input<typeof worklistAnswer>;
type Item = Page['items'][number];

interface Flags {
  readonly kind?: WorkKind;
  readonly json?: true;
  readonly holdsWithin?: string;
  readonly disabledFor?: string;
}

const pageRows = 500;

export function addWorklistCommands(program: Command): void {
  program
    .command('worklist')
    .description("what waits for a person's decision, each with why and the way out")
    .addOption(new Option('--kind <kind>', 'only one').choices(workKinds))
    .option('--holds-within <duration>', 'holds that end within this time; default 14d')
    .option('--disabled-for <duration>', 'identities disabled by hand for longer; default 90d')
    .option('--json', 'one JSON object a line, the counts first')
    .action(atGateway(show));
}

async function show(gateway: GatewayCalls, { kind, json, holdsWithin, disabledFor }: Flags): Promise<void> {
  if (holdsWithin !== undefined) durationFlag('--holds-within', holdsWithin);
  if (disabledFor !== undefined) durationFlag('--disabled-for', disabledFor);
  const query = { kind, holdsWithin, disabledFor, limit: pageRows };
  let isFirst = true;
  for await (const { counts, items } of pagesOf<Page>(gateway, '/v1/worklist', query)) {
    if (isFirst && json === true) sayJson({ counts }, 'line');
    else if (isFirst) sayCounts(counts);
    isFirst = false;
    for (const item of items) {
      if (json === true) sayJson(item, 'line');
      else sayItem(item);
    }
  }
}

function sayItem({
  kind,
  identityId = 'installation',
  subject,
  since,
  dueAt,
  owner,
  why,
  wayOut,
}: Item): void {
  const when = `${since === undefined ? '' : ` since ${since}`}${dueAt === undefined ? '' : `, at ${dueAt}`}`;
  console.log('');
  say(`${kind}  ${identityId}  ${subject}${when}${owner === undefined ? '' : `, owner ${owner}`}`);
  say(`  ${why}`);
  say(`  ${wayOut}`);
}

function sayCounts(counts: Readonly<Record<string, number>>): void {
  const there = Object.entries(counts).filter(([, count]) => count > 0);
  if (there.length === 0) say('nothing to do');
  for (const [kind, count] of there) say(`${String(count).padStart(7)}  ${kind}`);
}
