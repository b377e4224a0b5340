import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StackInfo } from '../../dev/stack/index.js';
import { readRunningStack } from '../../dev/stack/index.js';
import { writeStackInfo } from '../../dev/stack/info-file.js';
import { scratchDirectory } from './support/scratch.js';

const info: StackInfo = {
  temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: 'http://127.0.0.1:8233' },
  postgres: {
    url: 'postgres://dormouse:secret@127.0.0.1:5433/dormouse',
    runtimeUrl: 'postgres://runtime:secret@127.0.0.1:5433/dormouse',
  },
  kratos: { publicUrl: 'http://127.0.0.1:4433', adminUrl: 'http://127.0.0.1:4434' },
  hydra: { publicUrl: 'http://127.0.0.1:4444', adminUrl: 'http://127.0.0.1:4445' },
  mail: {
    smtpUrl: 'smtp://127.0.0.1:1025',
    webUrl: 'http://127.0.0.1:1080',
    apiUrl: 'http://127.0.0.1:1080/email',
  },
  gateway: {
    url: 'http://127.0.0.1:8321',
    serviceToken: 'x'.repeat(43),
    hookKeys: { kratos: 'y'.repeat(43), hydra: 'z'.repeat(43), mail: 'w'.repeat(43) },
  },
  keys: { auditSigningKey: '{"kty":"OKP"}', dataKey: 'z'.repeat(43), identifierKey: 'an identifier key' },
};

describe('stack.json', () => {
  it('has the addresses of a running stack, for its owner only', async () => {
    const directory = await scratchDirectory();
    await writeStackInfo(join(directory, 'stack.json'), info);
    expect(await readRunningStack(directory)).toEqual(info);
    expect((await stat(join(directory, 'stack.json'))).mode & 0o777).toBe(0o600);
  });

  it('gives nothing if the file is missing or damaged', async () => {
    const directory = await scratchDirectory();
    expect(await readRunningStack(directory)).toBeUndefined();
    await writeFile(join(directory, 'stack.json'), '{');
    expect(await readRunningStack(directory)).toBeUndefined();
  });

  it('is not believed when the stack that wrote it is gone', async () => {
    const directory = await scratchDirectory();
    const path = join(directory, 'stack.json');
    await writeStackInfo(path, info);
    const written = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...written, stack: { ...written.stack, startedAt: 'before' } }));
    expect(await readRunningStack(directory)).toBeUndefined();
  });
});
