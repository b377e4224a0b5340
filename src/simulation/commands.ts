/** `dormouse policy simulate`: what a policy does over years to people who come, go and come back. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type pg from 'pg';
import { withPool } from '../cli/connection.js';
import { type DeskOptions, openGateway } from '../cli/desk.js';
import { namedPolicy } from '../cli/named-policy.js';
import { showProgress } from '../cli/progress.js';
import { dayMs } from '../domain/duration.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import { type NamedPolicy, readNamedPolicy } from '../policies/named.js';
import { previewDependencies } from '../preview/dependencies.js';
import { inventedCast, liveCast } from './casts.js';
import { simulationPage } from './page.js';
import { type Cast, type Simulated, type SimulationRequest, simulate } from './run.js';
import { simulationCsv, simulationJson, simulationTable } from './table.js';

interface Flags {
  readonly population: string;
  readonly days: string;
  readonly seed: string;
  readonly noticeResponse: string;
  readonly policy?: string;
  readonly csv?: true;
  readonly json?: true;
  readonly html?: string;
}

/** Adds to the command `policy`. */
export function addSimulateCommand(program: Command): void {
  const policy = program.commands.find((command) => command.name() === 'policy');
  if (policy === undefined) throw new Error('the command "policy" is added first');
  policy
    .command('simulate <file>')
    .description(
      'what a policy does over years to people who come, go and come back. A file, id@version or preset:NAME. Writes nothing',
    )
    .requiredOption(
      '--population <number>',
      'how many people to invent; or live: those who follow the policy, read from the installation itself, with its environment',
    )
    .option('--days <number>', 'how far to look ahead', '730')
    .option('--seed <number>', 'another seed, other chances; the same seed, the same figures', '1')
    .option('--notice-response <percent>', 'how many notices bring somebody back within seven days', '0')
    .option('--policy <id>', 'with live: the people who follow this policy; left out: the id in the file')
    .option('--csv', 'one line for each day')
    .option('--json', 'as JSON, with the numbers of each day')
    .option('--html <path>', 'one page with plots, which needs nothing else')
    .action(simulateFile);
}

/** Most people who are invented, and most days: what takes minutes, not hours. */
const mostPeople = 1_000_000;
const mostDays = 3_650;
const highestSeed = 4_294_967_295;

async function simulateFile(file: string, flags: Flags, command: Command): Promise<void> {
  const count =
    flags.population === 'live'
      ? ('live' as const)
      : inRange('--population', flags.population, 1, mostPeople);
  const settings = {
    days: inRange('--days', flags.days, 1, mostDays),
    seed: inRange('--seed', flags.seed, 0, highestSeed),
    response: inRange('--notice-response', flags.noticeResponse, 0, 100) / 100,
    from: count === 'live' ? Date.now() : dayMs * Math.floor(Date.now() / dayMs),
  };
  if (flags.policy !== undefined && count !== 'live') {
    throw new Error('--policy: goes with --population live only. Invented people follow the file');
  }
  if (flags.csv && flags.json) throw new Error('--csv: goes without --json. Write one of them');
  const run = async (
    { name, policy }: NamedPolicy,
    castOf: (request: SimulationRequest) => Promise<Cast>,
  ) => {
    const request = { ...settings, name, policy };
    await show(await simulate(withProgress(request), await castOf(request)), flags);
  };
  if (count === 'live') {
    return withPool(async (pool) => {
      const named = await readNamedPolicy(file, () => pool);
      await run(named, (request) => castLive(pool, named, flags, request));
    });
  }
  const gateway = () => openGateway(command.optsWithGlobals<DeskOptions>());
  await run(await namedPolicy(file, gateway), async (request) => inventedCast(count, request));
}

function castLive(
  pool: pg.Pool,
  { policy }: NamedPolicy,
  flags: Flags,
  request: SimulationRequest,
): Promise<Cast> {
  const policyId = checkedPolicyId('--policy', flags.policy ?? policy.id);
  return liveCast(previewDependencies(pool), policyId, request);
}

function withProgress(request: SimulationRequest): SimulationRequest {
  return process.stderr.isTTY ? { ...request, onProgress: showProgress('people') } : request;
}

async function show(simulated: Simulated, { csv, json, html }: Flags): Promise<void> {
  if (html !== undefined) {
    await writeFile(html, simulationPage(simulated));
    console.error(`written: ${html}`);
  }
  if (csv) for (const line of simulationCsv(simulated)) process.stdout.write(line);
  else if (json) console.log(JSON.stringify(simulationJson(simulated)));
  else for (const line of simulationTable(simulated)) console.log(line);
}

/** @throws Error naming the flag, the problem and the way out */
function inRange(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const live = flag === '--population' ? ', or live' : '';
  throw new Error(`${flag}: must be a whole number from ${least} to ${most}${live}`);
}
