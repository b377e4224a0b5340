/** `dormouse standing|hold|…`: what operators ask and decide about one identity. */
import type { Command } from 'commander';
import type { Standing } from '../client.js';
import { parseDuration } from '../domain/duration.js';
import { actorOption } from './actor.js';
import { withDormouse } from './connection.js';

export function addIdentityCommands(program: Command): void {
  program
    .command('standing <identityId>')
    .description('where an identity stands, what comes next, when, and why')
    .option('--json', 'print all of it as JSON')
    .action(async (id: string, options: { json?: true }) => {
      const standing = await withDormouse((dormouse) => dormouse.liveStanding(id));
      print(standing, options.json === true);
    });
  program
    .command('hold <identityId>')
    .description('stop all rungs for a while')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .requiredOption('--for <duration>', 'how long, as 90d')
    .option(...actorOption)
    .action(async (id: string, options: { reason: string; for: string; actor: string }) => {
      const duration = parseDuration(options.for);
      if (duration === undefined)
        throw new Error(`--for: "${options.for}" is not a duration. Write it as 90d or 12h`);
      const { actor, reason } = options;
      print(
        await withDormouse((dormouse) => dormouse.hold(id, { actor, reason, until: Date.now() + duration })),
      );
    });
  for (const verb of ['release', 'reactivate'] as const) {
    program
      .command(`${verb} <identityId>`)
      .description(
        verb === 'release' ? 'end a hold early' : 'bring back an identity that the engine deactivated',
      )
      .requiredOption('--reason <text>', 'why, for those who ask later')
      .option(...actorOption)
      .action(async (id: string, { actor, reason }: { actor: string; reason: string }) => {
        print(await withDormouse((dormouse) => dormouse[verb](id, { actor, reason })));
      });
  }
  program
    .command('apply-policy <identityId> <policyId>')
    .description('follow another policy, or one version of it')
    .option('--version <number>', 'stay at this version; left out: follow the latest')
    .option(...actorOption)
    .action(async (id: string, policyId: string, { actor, version }: { actor: string; version?: string }) => {
      const pinned = version === undefined ? {} : { version: Number(version) };
      print(await withDormouse((dormouse) => dormouse.applyPolicy(id, { actor, policyId, ...pinned })));
    });
  program
    .command('retry-parked <identityId>')
    .description('try the step that failed for good once more')
    .option(...actorOption)
    .action(async (id: string, { actor }: { actor: string }) => {
      print(await withDormouse((dormouse) => dormouse.retryParked(id, { actor })));
    });
}

function print(standing: Standing, asJson = false): void {
  if (asJson) {
    console.log(JSON.stringify(standing, null, 2));
    return;
  }
  const at = (time: number) => new Date(time).toISOString();
  console.log(`stage     ${standing.stage} since ${at(standing.since)}`);
  console.log(`last seen ${at(standing.lastActiveAt)}`);
  if (standing.policy !== undefined)
    console.log(`policy    ${standing.policy.id} version ${standing.policy.version}`);
  console.log(`why       ${standing.why}`);
  for (const warning of standing.warnings) console.log(`warning   ${warning}`);
}
