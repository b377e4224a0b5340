/** `dormouse worklist`: everything that waits for a person's decision. */
import type { Command } from 'commander';
import type pg from 'pg';
import { withPool } from '../cli/connection.js';
import { durationFlag } from '../cli/durations.js';
import { defaultWorklistLimits, type WorkKind, workKinds } from './rules.js';
import { allWork, countWork } from './worklist.js';

interface Options {
  readonly kind?: string;
  readonly json?: true;
  readonly holdsWithin?: string;
  readonly disabledFor?: string;
}

export function addWorklistCommands(program: Command): void {
  program
    .command('worklist')
    .description("what waits for a person's decision, each with why and the way out")
    .option('--kind <kind>', `only one of ${workKinds.join(', ')}`)
    .option('--holds-within <duration>', 'holds that end within this time; default 14d')
    .option('--disabled-for <duration>', 'identities disabled by hand for longer; default 90d')
    .option('--json', 'one JSON object a line, the counts first')
    .action(async (options: Options) => {
      await withPool((pool) => show(pool, options));
    });
}

async function show(pool: pg.Pool, options: Options): Promise<void> {
  const { holdsWithin, disabledFor } = options;
  const kind = workKind(options.kind);
  const query = {
    ...defaultWorklistLimits,
    ...(holdsWithin === undefined ? {} : { holdEndsWithinMs: durationFlag('--holds-within', holdsWithin) }),
    ...(disabledFor === undefined ? {} : { disabledForMs: durationFlag('--disabled-for', disabledFor) }),
    now: Date.now(),
  };
  const counts = await countWork(pool, query);
  if (options.json === true) console.log(JSON.stringify({ counts }));
  else printCounts(counts);
  for await (const item of allWork(pool, query, kind)) {
    if (options.json === true) {
      console.log(JSON.stringify(item));
      continue;
    }
    const since = item.since === undefined ? '' : ` since ${new Date(item.since).toISOString()}`;
    const due = item.dueAt === undefined ? '' : `, at ${new Date(item.dueAt).toISOString()}`;
    const owner = item.owner === undefined ? '' : `, owner ${item.owner}`;
    console.log(
      `\n${item.kind}  ${item.identityId ?? 'installation'}  ${item.subject}${since}${due}${owner}`,
    );
    console.log(`  ${item.why}`);
    console.log(`  ${item.wayOut}`);
  }
}

function printCounts(counts: Readonly<Record<WorkKind, number>>): void {
  const there = Object.entries(counts).filter(([, count]) => count > 0);
  if (there.length === 0) console.log('nothing to do');
  for (const [kind, count] of there) console.log(`${String(count).padStart(7)}  ${kind}`);
}

function workKind(text: string | undefined): WorkKind | undefined {
  if (text === undefined) return undefined;
  const kind = workKinds.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new Error(`--kind: "${text}" is not a kind of work. Write one of ${workKinds.join(', ')}`);
}
