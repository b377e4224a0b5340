/** Checks policies at the start of a process: a first version, and that the policy to follow exists. */
import type pg from 'pg';
import { ConfigError } from '../config.js';
import type { Logger } from '../process/logger.js';
import {
  AlteredPolicyError,
  latestVersion,
  PolicyReader,
  policyHash,
  UnknownPolicyError,
} from './policies-table.js';
import { seedPolicy } from './publication.js';
import { readPolicyFile } from './read-file.js';
import { PolicyFileError } from './yaml.js';

export interface PolicyStart {
  readonly pool: pg.Pool;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** `DORMOUSE_POLICY_FILE`. */
  readonly file: string;
  /** `DORMOUSE_POLICY_ID`. */
  readonly policyId: string;
}

/**
 * Publishes the file where its policy has no version yet. Logs where something else is
 * published, which stays in force.
 * @returns the version that identities follow, as `default@2`
 * @throws PolicyFileError, and ConfigError where the policy to follow was never published
 */
export async function startWithPolicy({ pool, log, file, policyId }: PolicyStart): Promise<string> {
  const text = await readPolicyFile(file);
  const { reference, isNew } = await seedPolicy(pool, { text, file }, Date.now());
  const { id, version, hash } = reference;
  const fileHash = policyHash(text);
  if (isNew) log.info({ policy: id, version, hash }, 'policy published: it had no version yet');
  else if (hash !== fileHash) {
    log.warn(
      { policy: id, file, fileHash, publishedVersion: version, publishedHash: hash },
      `the policy file is not what is published, and what is published stays in force. To publish the file, see first what it does to whom: dormouse policy preview ${file}. Then: dormouse policy publish ${file} --reason '…' --preview HASH --expect ${version}`,
    );
  }
  return followed(pool, log, { policyId, fileId: id });
}

async function followed(
  pool: pg.Pool,
  log: PolicyStart['log'],
  { policyId, fileId }: { readonly policyId: string; readonly fileId: string },
): Promise<string> {
  try {
    const { reference } = await new PolicyReader(pool).read(policyId);
    return `${policyId}@${reference.version}`;
  } catch (error) {
    // guard: policies: no worker starts where nobody could follow
    if (error instanceof UnknownPolicyError) {
      throw new ConfigError(
        `DORMOUSE_POLICY_ID is "${policyId}", and no version of that policy was published, so nobody could follow it. Publish it (dormouse policy publish FILE --reason '…'), or name a policy that is published: DORMOUSE_POLICY_FILE holds "${fileId}"`,
      );
    }
    // Lifecycles wait for the right text, and the worker has other work to do.
    if (!(error instanceof AlteredPolicyError || error instanceof PolicyFileError)) throw error;
    log.error({ err: error, policy: policyId }, 'the policy that people follow can not be acted by');
    return `${policyId}@${await latestVersion(pool, policyId)}`;
  }
}

/** For a gateway, which may start before the worker that publishes the first version. */
export async function warnUnlessPublished({
  pool,
  log,
  policyId,
}: Pick<PolicyStart, 'pool' | 'log' | 'policyId'>): Promise<void> {
  if ((await latestVersion(pool, policyId)) > 0) return;
  log.warn(
    { policy: policyId },
    'no version of the policy that DORMOUSE_POLICY_ID names is published yet: whoever is enrolled waits for it. A worker publishes the first one from DORMOUSE_POLICY_FILE, where that file has this id',
  );
}
