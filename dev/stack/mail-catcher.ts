/** The mail catcher: accepts every mail, delivers none, and shows them on a web page. */
import { createRequire } from 'node:module';
import { canConnect, requestOk } from './http-check.js';
import { logFileOf, type PartContext, plainEnvironment } from './part-context.js';
import { loopbackHost } from './ports.js';
import { untilReady } from './supervisor.js';
import type { StackInfo } from './types.js';

/** Starts it. Mails of earlier runs in the data directory are shown again. */
export async function startMailCatcher(
  context: PartContext,
  ports: { smtp: number; web: number },
): Promise<StackInfo['mail']> {
  const webUrl = `http://${loopbackHost}:${ports.web}`;
  const child = await context.supervisor.start({
    name: 'mail catcher',
    rank: 'server',
    command: process.execPath,
    arguments: [
      createRequire(import.meta.url).resolve('maildev/bin/maildev'),
      ...['--ip', loopbackHost, '--smtp', String(ports.smtp), '--web', String(ports.web)],
      ...['--mail-directory', context.data.mails, '--silent'],
    ],
    environment: plainEnvironment(context),
    logFile: logFileOf(context, 'mail'),
    // Every mail is on disk when it is acknowledged, so there is nothing to wait for.
    graceMs: 2000,
  });
  await untilReady(child, () => requestOk(`${webUrl}/healthz`));
  await untilReady(child, () => canConnect(loopbackHost, ports.smtp));
  return { smtpUrl: `smtp://${loopbackHost}:${ports.smtp}`, webUrl, apiUrl: `${webUrl}/email` };
}
