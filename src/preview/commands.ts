/** `dormouse policy preview`: a policy against the people who follow it, before anything is saved. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type pg from 'pg';
import { withPool } from '../cli/connection.js';
import { showProgress } from '../cli/progress.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { type NamedPolicy, readNamedPolicy } from '../policies/named.js';
import { csvHeader, csvOf } from './csv.js';
import { previewDependencies } from './dependencies.js';
import { previewPage } from './page.js';
import { keepPreview } from './previews-table.js';
import { type Preview, type PreviewRequest, runPreview } from './run.js';
import { previewJson, previewTable } from './table.js';
import { Worst } from './worst.js';

interface Flags {
  readonly policy?: string;
  readonly csv?: true;
  readonly json?: true;
  readonly html?: string;
}

/** Adds to the command `policy`. */
export function addPreviewCommands(program: Command): void {
  const policy = program.commands.find((command) => command.name() === 'policy');
  if (policy === undefined) throw new Error('the command "policy" is added first');
  policy
    .command('preview <file>')
    .description(
      'what a policy would do to the people who follow it, compared with the version in force. A file, id@version or preset:NAME. Saves its answer for: policy publish --preview',
    )
    .option('--policy <id>', 'the people who follow this policy; left out: the id in the file')
    .option('--csv', 'one line for each person')
    .option('--json', 'as JSON, with the numbers of each day')
    .option('--html <path>', 'one page with plots, which needs nothing else')
    .action((file: string, flags: Flags) => withPool((pool) => preview(pool, file, flags)));
}

async function preview(pool: pg.Pool, file: string, flags: Flags): Promise<void> {
  const named = await readNamedPolicy(file, () => pool);
  const policyId = checkedPolicyId('--policy', flags.policy ?? named.policy.id);
  const worst = new Worst();
  if (flags.csv) process.stdout.write(csvHeader);
  const done = await runPreview(previewDependencies(pool), {
    ...requestOf(named, policyId),
    onPerson: (person) => {
      worst.add(person);
      if (flags.csv) process.stdout.write(csvOf(person));
    },
    ...(process.stderr.isTTY && { onProgress: showProgress('people') }),
  });
  await keepPreview(pool, done);
  if (flags.html !== undefined) await writeFile(flags.html, previewPage(done, worst.sorted));
  show(done, flags);
}

function show(done: Preview, { csv, json, html }: Flags): void {
  if (json) console.log(JSON.stringify(previewJson(done)));
  else if (!csv) for (const line of previewTable(done)) console.log(line);
  if (html !== undefined) console.error(`written: ${html}`);
}

/** @param policyId whose people are asked */
export function requestOf({ policy, text }: NamedPolicy, policyId: string): PreviewRequest {
  return { policy, text, policyId, now: Date.now() };
}
