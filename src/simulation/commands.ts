/** `dormouse policy simulate`: what a policy does over years to people who come, go and come back. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { type DeskOptions, openGateway } from '../cli/desk.js';
import { UsageError } from '../cli/exit-codes.js';
import type { GatewayCalls } from '../cli/gateway-calls.js';
import { namedPolicy } from '../cli/named-policy.js';
import { say, sayJson } from '../cli/output.js';
import { showProgress } from '../cli/progress.js';
import { dayMs } from '../domain/duration.js';
import { checkedPolicyId } from '../policies/id-parameter.js';
import type { NamedPolicy } from '../policies/named.js';
import { previewMs } from '../policies/publish-command.js';
import { inventedCast } from './casts.js';
import { highestSeed, mostDays, mostPeople } from './limits.js';
import { simulationPage } from './page.js';
import type { simulationAnswer } from './routes.js';
import { type Simulated, type SimulationRequest, simulate } from './run.js';
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
      'how many people to invent; or live: those who follow the policy, which the gateway reads',
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

async function simulateFile(file: string, flags: Flags, command: Command): Promise<void> {
  const count =
    flags.population === 'live'
      ? ('live' as const)
      : inRange('--population', flags.population, 1, mostPeople);
  const settings: Settings = {
    days: inRange('--days', flags.days, 1, mostDays),
    seed: inRange('--seed', flags.seed, 0, highestSeed),
    noticeResponse: inRange('--notice-response', flags.noticeResponse, 0, 100),
  };
  if (flags.policy !== undefined && count !== 'live') {
    throw new Error('--policy: goes with --population live only. Invented people follow the file');
  }
  if (flags.csv && flags.json) throw new Error('--csv: goes without --json. Write one of them');
  const gateway = () => openGateway(command.optsWithGlobals<DeskOptions>());
  if (count === 'live') return simulateLive(await gateway(), file, settings, flags);
  const { name, policy } = await namedPolicy(file, gateway);
  const { noticeResponse, ...rest } = settings;
  const from = dayMs * Math.floor(Date.now() / dayMs);
  const request = { ...rest, name, policy, from, response: noticeResponse / 100 };
  await show(await simulate(withProgress(request), inventedCast(count, request)), flags);
}

interface Settings {
  readonly days: number;
  readonly seed: number;
  /** Percent. */
  readonly noticeResponse: number;
}

/** The gateway reads the people: their history leaves it as numbers only. */
async function simulateLive(
  gateway: GatewayCalls,
  file: string,
  settings: Settings,
  { csv, json, html, policy: followed }: Flags,
): Promise<void> {
  if (csv === true && html !== undefined)
    throw new UsageError('--csv: goes without --html where --population is live. Write one of them');
  const { text, policy }: NamedPolicy = await namedPolicy(file, async () => gateway);
  const policyId = checkedPolicyId('--policy', followed ?? policy.id);
  const also = csv === true ? 'days' : html === undefined ? 'nothing' : 'page';
  const body = { ...settings, text, file, policyId, with: also };
  const path = '/v1/policies/simulations';
  const answer = await gateway.post<z.input<typeof simulationAnswer>>(path, body, { timeoutMs: previewMs });
  if (html !== undefined) {
    await writeFile(html, answer.page ?? '');
    console.error(`written: ${html}`);
  }
  if (json === true) sayJson(answer.simulation, 'line');
  else if (csv === true) for (const line of (answer.days ?? '').trimEnd().split(/\r?\n/)) say(line);
  else for (const line of answer.lines) say(line);
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
