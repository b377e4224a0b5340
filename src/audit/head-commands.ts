/** `dormouse audit verify|sign|keygen|public-key|heads`: the audit log's chain and its signed heads. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findKeyText, withPool } from '../cli/connection.js';
import { ConfigError } from '../config.js';
import {
  generateSigningKey,
  parseKeys,
  privateJwkText,
  publicJwk,
  type SigningKey,
} from '../keys/signing-keys.js';
import { readAuditKey } from './audit-key.js';
import { parseHeads } from './heads-file.js';
import { streamHeads } from './heads-table.js';
import { signLatestHead } from './sign-heads.js';
import type { BrokenRow } from './verification.js';
import { type LogVerdict, verifyLog } from './verify-log.js';

interface VerifyOptions {
  readonly heads?: string;
  readonly publicKey?: string;
}

export function addAuditHeadCommands(audit: Command): void {
  audit
    .command('verify')
    .description(
      'compute the hash chain again, against the signed heads; exits 1 and names the first broken row if it does not hold',
    )
    .option('--heads <file>', 'heads that "audit heads export" wrote before and that were kept elsewhere')
    .option(
      '--public-key <file>',
      'who signed: JWK, JWK set or PEM. Default: the key of DORMOUSE_AUDIT_SIGNING_KEY',
    )
    .action(verify);
  audit
    .command('sign')
    .description('sign the last row now; the worker does it by itself, at most once a minute')
    .action(sign);
  audit
    .command('keygen')
    .description('print a fresh private key for DORMOUSE_AUDIT_SIGNING_KEY')
    .action(() => console.log(privateJwkText(generateSigningKey('ed25519'))));
  audit
    .command('public-key')
    .description('print the public key, by which auditors check signed heads, as JWK')
    .action(async () => console.log(JSON.stringify(publicJwk(await demandAuditKey()))));
  audit
    .command('heads')
    .description('signed heads of the log')
    .command('export')
    .description(
      'print the signed heads as JSON lines; keep them where the database administrators have no access',
    )
    .option('--after <row>', 'only heads of later rows', '0')
    .action(async ({ after }: { after: string }) =>
      withPool(async (pool) => {
        for await (const head of streamHeads(pool, Number(after) || 0)) console.log(JSON.stringify(head));
      }),
    );
}

export async function demandAuditKey() {
  const text = findKeyText('DORMOUSE_AUDIT_SIGNING_KEY');
  if (text !== undefined) return readAuditKey(text);
  throw new ConfigError('DORMOUSE_AUDIT_SIGNING_KEY is not set. Make one with: dormouse audit keygen');
}

async function sign(): Promise<void> {
  const key = await demandAuditKey();
  const head = await withPool((pool) => signLatestHead(pool, key, Date.now(), reportForged));
  console.log(head === undefined ? 'nothing new since the last signed head' : JSON.stringify(head));
}

function reportForged({ seq, why }: BrokenRow): void {
  console.error(`the signed head of row ${seq}: ${why}; it is passed over`);
}

async function verify(options: VerifyOptions): Promise<void> {
  const exported =
    options.heads === undefined ? [] : parseHeads(await readFile(options.heads, 'utf8'), options.heads);
  const keys = await findKeys(options.publicKey);
  const verdict = await withPool((pool) => verifyLog(pool, { keys, exported }));
  for (const { seq, why } of verdict.badHeads) console.error(`the signed head of row ${seq}: ${why}`);
  if (verdict.brokenAt !== undefined) console.error(describeBreak(verdict));
  if (verdict.brokenAt !== undefined || verdict.badHeads.length > 0) {
    process.exitCode = 1;
    return;
  }
  const { prunedBefore } = verdict;
  if (prunedBefore !== undefined) {
    const { seq, at, actor } = prunedBefore;
    console.log(`The rows before ${seq} were removed on ${new Date(at).toISOString()} by ${actor}.`);
  }
  console.log(`${verdict.rows} rows, the chain is whole; ${describeHeads(verdict, keys)}`);
}

export async function findKeys(publicKeyFile: string | undefined): Promise<readonly SigningKey[]> {
  if (publicKeyFile !== undefined) return parseKeys(await readFile(publicKeyFile, 'utf8'), publicKeyFile);
  const text = findKeyText('DORMOUSE_AUDIT_SIGNING_KEY');
  return text === undefined ? [] : [readAuditKey(text)];
}

function describeBreak({ brokenAt, brokenBy, why }: LogVerdict): string {
  const place =
    brokenBy === undefined || brokenBy === brokenAt
      ? `at row ${brokenAt}`
      : `at one of the rows ${brokenAt} to ${brokenBy}`;
  return `the audit log is broken ${place}: ${why}`;
}

function describeHeads(verdict: LogVerdict, keys: readonly SigningKey[]): string {
  if (keys.length === 0) return 'signed heads were not checked, for there is no public key';
  return `${verdict.headsChecked} signed heads fit, the last of row ${verdict.vouchedFor}`;
}
