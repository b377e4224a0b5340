/** Runs the demo from start to end: starts the stack, plays the roles, checks the findings. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { latestVersion } from '../../src/policies/policies-table.js';
import { publishPolicy } from '../../src/policies/publication.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { createPool } from '../../src/postgres/pool.js';
import {
  describeDeath,
  type RunningStack,
  readRunningStack,
  type StackInfo,
  startStack,
} from '../stack/index.js';
import { projectDirectory } from '../stack/project.js';
import { cast } from './cast.js';
import { LiveTable } from './live-table.js';
import { readMailbox } from './mailbox.js';
import { OryPeople } from './ory-people.js';
import { Pictures } from './pictures.js';
import { Player } from './player.js';
import { type DemoReport, printReport, reportOf, writeReport } from './report.js';
import { findingsOf } from './truth.js';

export interface DemoOptions {
  readonly json?: string;
  readonly screenshots?: string;
  readonly keep: boolean;
}

const policyFile = 'policies/demo.yaml';
/** The ladder takes a minute. After this long something is stuck. */
const patienceMs = 140_000;
const tickMs = 250;

/** @returns the exit code: 0 only if every expectation holds */
export async function runDemo(options: DemoOptions): Promise<number> {
  const dataDirectory = join(projectDirectory, '.stack');
  const running = await readRunningStack(dataDirectory);
  if (running !== undefined) {
    console.log('Using the running stack.');
    return play(running, options);
  }
  const stack = await startStack({ dataDirectory, report: (line) => console.log(line) });
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(130));
  });
  const died = stack.died.then((part) => {
    console.error(describeDeath(part));
    return 1;
  });
  try {
    return await Promise.race([playAndKeep(stack, options, interrupted), interrupted, died]);
  } finally {
    await stack.stop();
  }
}

async function playAndKeep(
  stack: RunningStack,
  options: DemoOptions,
  interrupted: Promise<number>,
): Promise<number> {
  const exitCode = await play(stack.info, options);
  if (options.keep) {
    console.log('The stack keeps running; Ctrl-C stops it.');
    await interrupted;
  } else {
    console.log('The stack stops now; its data stay: "npm start" brings them up again at these addresses.');
  }
  return exitCode;
}

async function play(stack: StackInfo, options: DemoOptions): Promise<number> {
  const startedAt = Date.now();
  const pool = createPool({ url: stack.postgres.runtimeUrl });
  const text = await readFile(join(projectDirectory, policyFile), 'utf8');
  const policy = parsePolicyFile(text, policyFile);
  await publishPolicy(
    pool,
    { text, file: policyFile },
    {
      actor: 'demo',
      reason: 'the demo runs under it',
      at: startedAt,
      expected: await latestVersion(pool, policy.id),
    },
  );
  const people = new OryPeople(stack);
  const dormouse = createDormouse({
    temporal: stack.temporal,
    postgresUrl: stack.postgres.runtimeUrl,
    policyId: policy.id,
    timeoutMs: 5_000,
  });
  try {
    console.log(`\nThe ladder of ${policyFile}: ${policy.description ?? ''}\n`);
    const pictures = new Pictures(stack, options.screenshots);
    const players = await climbAll(people, dormouse, pictures, stack);
    await pictures.taken;
    const mails = await readMailbox(stack.mail.apiUrl);
    const findings = [];
    for (const player of players)
      findings.push(...(await findingsOf(player, { people, pool, mails, policy })));
    for (const player of players) player.leave();
    const report = reportOf(players, findings, startedAt);
    await conclude(report, stack, options);
    return report.holds ? 0 : 1;
  } finally {
    await dormouse.close();
    await pool.end();
  }
}

/** Enters all roles and lets them act, until each is where it should be, or the time is up. */
async function climbAll(
  people: OryPeople,
  dormouse: DirectDormouse,
  pictures: Pictures,
  stack: StackInfo,
): Promise<Player[]> {
  const table = new LiveTable(process.stdout.isTTY === true);
  const limit = pLimit(3);
  const players: Player[] = [];
  const entering = cast.map((role) =>
    limit(async () => {
      const player = await Player.enter(role, people, dormouse, stack);
      players.push(player);
    }),
  );
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    await Promise.all(players.map((player) => player.tick()));
    table.show(players);
    pictures.watch(players);
    if (players.length === cast.length && players.every((player) => player.isDone)) break;
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  table.end();
  await Promise.all(entering);
  return players.sort((a, b) => cast.indexOf(a.role) - cast.indexOf(b.role));
}

async function conclude(report: DemoReport, stack: StackInfo, options: DemoOptions): Promise<void> {
  printReport(report);
  if (options.json !== undefined) await writeReport(report, options.json);
  console.log('\nWhere to look:');
  console.log(`  Desk          ${stack.gateway.url}/desk`);
  if (stack.temporal.uiUrl !== '') console.log(`  Temporal UI   ${stack.temporal.uiUrl}`);
  if (stack.mail.webUrl !== '') console.log(`  Mails         ${stack.mail.webUrl}`);
}
