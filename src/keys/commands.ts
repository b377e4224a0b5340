/** `dormouse keys …`: the master key that wraps each identity's data key. */
import type { Command } from 'commander';
import { atInstallation } from '../cli/at-installation.js';
import { findKeyText, withPool } from '../cli/connection.js';
import { ConfigError } from '../config.js';
import { generateMasterKey, parseMasterKeys } from './master-keys.js';
import { rotateMasterKey } from './personal-data.js';

export function addKeysCommands(program: Command): void {
  const keys = atInstallation(program.command('keys')).description(
    'the key that personal data is encrypted under',
  );
  keys
    .command('generate')
    .description('print a fresh key for DORMOUSE_DATA_KEY')
    .action(() => console.log(generateMasterKey()));
  keys
    .command('rotate')
    .description('wrap all data keys by the first key of DORMOUSE_DATA_KEY; afterwards the second can go')
    .action(rotate);
}

async function rotate(): Promise<void> {
  const text = findKeyText('DORMOUSE_DATA_KEY');
  if (text === undefined) {
    throw new ConfigError('DORMOUSE_DATA_KEY is not set. Make a key with: dormouse keys generate');
  }
  const { rewrapped, unknown } = await withPool((pool) => rotateMasterKey(pool, parseMasterKeys(text)));
  console.log(`${rewrapped} data keys were wrapped anew`);
  if (unknown === 0) return;
  console.error(`${unknown} data keys are wrapped by a master key that DORMOUSE_DATA_KEY does not hold`);
  process.exitCode = 1;
}
