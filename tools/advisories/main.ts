/**
 * `npm run advisories`: asks the registry for advisories on what is installed for production. Fails on one that
 * `ignored.json` does not name with a reason and a date. Where the registry has none to ask, it says so and does not fail.
 */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { parseJson } from '../../src/process/parse-json.js';
import { ignoredSchema, judge } from './judge.js';

const ignored = ignoredSchema.parse(
  JSON.parse(await readFile(new URL('./ignored.json', import.meta.url), 'utf8')),
);
const { stdout } = await execa('npm', ['audit', '--json', '--omit=dev'], {
  reject: false,
  env: { npm_config_audit: 'true' },
  timeout: 60_000,
});
const judgement = judge(parseJson(stdout), ignored, new Date().toISOString().slice(0, 10));
if (judgement === undefined) {
  console.log('Advisories: NOT CHECKED. The registry did not answer with a report.');
} else {
  for (const line of judgement.ignored) console.log(`Advisories: known: ${line}`);
  for (const line of judgement.failures) console.error(`Advisories: ${line}`);
  const { failures } = judgement;
  console.log(
    failures.length === 0 ? 'Advisories: none that matter.' : `Advisories: ${failures.length} to mend.`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}
