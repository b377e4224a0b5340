/** `dormouse standing|hold|…`: operators' questions and decisions about one identity. */

import type { Command } from 'commander';
import { actorOption, type Decision, reasonOption } from '../cli/actor.js';
import { withDormouse } from '../cli/connection.js';
import { inFuture } from '../cli/durations.js';
import { wholeNumber } from '../cli/numbers.js';
import type { HoldAnswer, Standing } from '../client.js';
import { formatDuration } from '../domain/duration.js';
import { given } from '../domain/given.js';
import { type Hold, type HoldKind, holdKinds, kindOfHold } from '../domain/lifecycle/holds.js';
import type { CredentialStanding } from '../domain/tokens/credential-standing.js';

export function addIdentityCommands(program: Command): void {
  program
    .command('standing <identityId>')
    .description('where an identity stands, what comes next, when, and why')
    .option('--json', 'print all of it as JSON')
    .action(async (id: string, options: { json?: true }) => {
      const standing = await withDormouse((dormouse) => dormouse.liveStanding(id));
      if (options.json === true) return console.log(JSON.stringify(standing, null, 2));
      print(standing);
      const { credentials = [], obstacles = [] } = standing;
      // The first is in the sentence above.
      for (const { by, why } of obstacles.slice(1)) console.log(`also      ${by}: ${why}`);
      for (const credential of credentials) console.log(`ends      ${lineOf(credential)}`);
    });
  program
    .command('hold <identityId>')
    .description('stop all rungs and mails for a while, beside holds that stand already')
    .requiredOption(...reasonOption)
    .requiredOption('--for <duration>', 'how long, as 90d')
    .option('--kind <kind>', `one of ${holdKinds.join(', ')}`, 'other')
    .option(...actorOption)
    .action(async (id: string, options: Decision & { for: string; kind: string }) => {
      const { actor, reason } = options;
      const request = { actor, reason, kind: holdKind(options.kind), until: inFuture('--for', options.for) };
      printHeld(await withDormouse((dormouse) => dormouse.hold(id, request)));
    });
  program
    .command('release <identityId>')
    .description('end one hold early')
    .requiredOption(...reasonOption)
    .option('--hold <holdId>', 'which, as h2; left out: the only one')
    .option('--kind <kind>', `the one of this kind: ${holdKinds.join(', ')}`)
    .option('--legal', 'the legal hold; the same as --kind legal')
    .option(...actorOption)
    .action(async (id: string, options: Decision & { hold?: string; kind?: string; legal?: true }) => {
      const kind = options.legal === true ? 'legal' : options.kind;
      const { actor, reason } = options;
      const request = {
        ...{ actor, reason },
        ...given({ holdId: options.hold }),
        ...(kind === undefined ? {} : { kind: holdKind(kind) }),
      };
      printHeld(await withDormouse((dormouse) => dormouse.release(id, request)));
    });
  program
    .command('reactivate <identityId>')
    .description('bring back an identity that the engine deactivated')
    .requiredOption(...reasonOption)
    .option(...actorOption)
    .action(async (id: string, { actor, reason }: Decision) => {
      print(await withDormouse((dormouse) => dormouse.reactivate(id, { actor, reason })));
    });
  program
    .command('apply-policy <identityId> <policyId>')
    .description('follow another policy, or one version of it')
    .option('--version <number>', 'stay at this version; left out: follow the latest')
    .option(...actorOption)
    .action(async (id: string, policyId: string, { actor, version }: { actor: string; version?: string }) => {
      const pinned = version === undefined ? {} : { version: wholeNumber('--version', version) };
      print(await withDormouse((dormouse) => dormouse.applyPolicy(id, { actor, policyId, ...pinned })));
    });
}

function holdKind(text: string): HoldKind {
  const kind = holdKinds.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new Error(`--kind: "${text}" is not a kind of hold. Write one of ${holdKinds.join(', ')}`);
}

/** After a hold or a release: the standing, or the holds alone where no lifecycle runs. */
function printHeld(answer: HoldAnswer): void {
  if (answer.stage !== 'none') {
    print(answer);
    return;
  }
  console.log('stage     none');
  console.log(`why       ${answer.why}`);
  printHolds(answer.holds);
}

function lineOf({ kind, type, policyId, inactiveMs, live, nextEndAt }: CredentialStanding): string {
  const limit = inactiveMs === null ? 'never end unused' : `end unused after ${formatDuration(inactiveMs)}`;
  const next = nextEndAt === undefined ? '' : `, the next at ${new Date(nextEndAt).toISOString()}`;
  const count = live === undefined ? '' : `: ${live} live`;
  return `${kind}${type === undefined ? '' : ` (${type})`} ${limit}, by policy ${policyId}${count}${next}`;
}

/** Prints a standing as lines for people. */
export function print(standing: Standing): void {
  const at = (time: number) => new Date(time).toISOString();
  console.log(`stage     ${standing.stage} since ${at(standing.since)}`);
  console.log(`last seen ${at(standing.lastActiveAt)}`);
  if (standing.policy !== undefined)
    console.log(`policy    ${standing.policy.id} version ${standing.policy.version}`);
  console.log(`why       ${standing.why}`);
  printHolds(standing.holds);
  for (const warning of standing.warnings) console.log(`warning   ${warning}`);
}

function printHolds(holds: readonly Hold[] = []): void {
  for (const hold of holds) {
    const until = new Date(hold.until).toISOString();
    console.log(`hold      ${hold.id} ${kindOfHold(hold)} until ${until}, by ${hold.actor}: ${hold.reason}`);
  }
}
