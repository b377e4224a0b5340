/** The policy file that a stack is started with is the one that people follow. */
import { expect, test } from 'vitest';
import { readStackEnvironment } from '../../dev/stack/environment.js';
import { startStack } from '../../dev/stack/index.js';
import { createPool } from '../../src/postgres/pool.js';

test('a file with an id of its own is published and followed, without DORMOUSE_POLICY_ID', async () => {
  const { DORMOUSE_POLICY_ID: _unset, ...inherited } = process.env;
  const stack = await startStack(
    { dataDirectory: 'unused', ephemeral: true, gateway: false, policyFile: 'policies/demo.yaml' },
    readStackEnvironment(inherited),
  );
  const pool = createPool({ url: stack.info.postgres.url });
  try {
    expect(stack.environment.DORMOUSE_POLICY_ID).toBe('demo');
    const { rows } = await pool.query('SELECT id, version FROM policy');
    expect(rows).toEqual([{ id: 'demo', version: 1 }]);
  } finally {
    await pool.end();
    await stack.stop();
  }
});
