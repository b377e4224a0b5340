/** `npm start` with a data directory of the test's choice, and without Dormouse's own two processes. */
import { runInForeground } from '../../../dev/stack/foreground.js';

const [dataDirectory, mode] = process.argv.slice(2);
if (dataDirectory === undefined) throw new TypeError('usage: run-stack <data directory> [ephemeral]');
process.exit(
  await runInForeground({ dataDirectory, ephemeral: mode === 'ephemeral', worker: false, gateway: false }),
);
