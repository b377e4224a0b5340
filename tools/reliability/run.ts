/**
 * `npm run test:faults`: the fault harness in full. The part `outside` goes in shares, several side by side, each on servers of its own;
 * a run that was interrupted continues with the shares that it lacks. `-- outside` runs these alone. Writes docs/reliability.md.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { projectDirectory } from '../../dev/stack/project.js';
import { codeDigest } from './code-digest.js';
import { figuresFile, readFigures } from './document.js';
import { figuresSchema, isWhole } from './figures.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shares: { type: 'string', default: '8' },
    'side-by-side': { type: 'string', default: '2' },
  },
});
const shares = wholeNumber('--shares', values.shares, 100);
const sideBySide = wholeNumber('--side-by-side', values['side-by-side'], 16);
const others = ['kills', 'population', 'between', 'disk-full', 'restarts'] as const;
const code = await codeDigest();

const parts = positionals.length === 0 ? ['outside', ...others] : positionals;
for (const part of parts) {
  if (part !== 'outside' && !others.some((other) => other === part)) {
    throw new Error(`there is no part "${part}". Parts: outside, ${others.join(', ')}`);
  }
}
let failed = 0;
if (parts.includes('outside')) failed += await runShares();
for (const part of parts.filter((one) => one !== 'outside')) failed += await run(part, part, {});
await execa('tsx', ['tools/reliability/main.ts'], { preferLocal: true, stdio: 'inherit' });
process.exitCode = failed === 0 ? 0 : 1;

/** @returns how many shares failed */
async function runShares(): Promise<number> {
  const limit = pLimit(sideBySide);
  const all = Array.from({ length: shares }, (_none, index) => index + 1);
  const outcomes = await Promise.all(
    all.map((nth) =>
      limit(async () => {
        const name = `outside.${nth}-of-${shares}`;
        const known = figuresSchema.safeParse(await readFigures(`faults-${name}`)).data;
        if (known !== undefined && known.code === code && isWhole(known)) {
          console.log(`${name}: measured before`);
          return 0;
        }
        return run('outside', name, { DORMOUSE_FAULTS_SHARD: `${nth}/${shares}` });
      }),
    ),
  );
  return outcomes.reduce((total, one) => total + one, 0);
}

/** @returns 1 where it failed */
async function run(part: string, name: string, environment: Record<string, string>): Promise<number> {
  const log = join(projectDirectory, '.stack', 'faults', `${name}.log`);
  await mkdir(dirname(log), { recursive: true });
  await mkdir(dirname(figuresFile('any')), { recursive: true });
  // One object: both go to one file, line by line.
  const output = { file: log };
  const startedAt = performance.now();
  console.log(`${name}: begins; its log is ${log}`);
  const { exitCode } = await execa('vitest', ['run', '--project', 'faults', `test/faults/${part}.test.ts`], {
    ...{ preferLocal: true, reject: false, stdin: 'ignore', stdout: output, stderr: output },
    env: { DORMOUSE_FAULTS: 'full', DORMOUSE_FAULTS_CODE: code, ...environment },
  });
  const minutes = Math.round((performance.now() - startedAt) / 60_000);
  console.log(`${name}: ${exitCode === 0 ? 'holds' : 'FAILED, see its log'}, ${minutes} min`);
  return exitCode === 0 ? 0 : 1;
}

function wholeNumber(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`${flag}: must be a whole number from 1 to ${most}`);
}
