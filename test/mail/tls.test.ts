/** Mail over TLS: STARTTLS and smtps, to a server whose certificate a private authority signed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { renderMail } from '../../src/mail/render.js';
import { createMailTransport, TemporaryMailError } from '../../src/smtp/transport.js';
import { factsOf } from './facts.js';
import { type SmtpFixture, startSmtp } from './smtp-fixture.js';

let directory: string;
let key: Buffer;
let cert: Buffer;
const servers: SmtpFixture[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-tls-'));
  const openssl = (...args: string[]) => execa('openssl', args, { cwd: directory });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await openssl(
    'req',
    '-x509',
    ...fresh,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Test authority',
  );
  await openssl(
    ...['req', '-x509', ...fresh, '-keyout', 'server.key', '-out', 'server.pem', '-subj', '/CN=localhost'],
    ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=DNS:localhost'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  key = await readFile(join(directory, 'server.key'));
  cert = await readFile(join(directory, 'server.pem'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** @param host what the certificate is made out to, or not */
async function start(scheme: 'smtp' | 'smtps', host = 'localhost') {
  const server = await startSmtp({
    tls: scheme === 'smtps' ? 'from the start' : 'offered',
    options: { key, cert },
  });
  servers.push(server);
  return { server, url: server.url.replace('smtp://127.0.0.1', `${scheme}://${host}`) };
}

const schemes = ['smtp', 'smtps'] as const;

describe.each(schemes)('%s', (scheme) => {
  /** Sends from a process that knows the authority. @returns the outcome */
  const sendKnowing = async (url: string) => {
    const sent = await execa(process.execPath, ['--import', 'tsx', 'test/mail/send-one.ts', url], {
      cwd: projectDirectory,
      env: { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') },
    });
    return sent.stdout;
  };

  it('is secured where the authority is known', async () => {
    const { server, url } = await start(scheme);
    expect(await sendKnowing(url)).toBe('accepted');
    expect(server.secured()).toBe(1);
    expect(server.messages).toHaveLength(1);
  });

  it('is refused where the certificate is made out to another host', async () => {
    const { server, url } = await start(scheme, '127.0.0.1');
    expect(await sendKnowing(url)).toMatch(/failure at tls \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    expect(server.recipients).toEqual([]);
  });

  it('is refused where the authority is unknown', async () => {
    const { server, url } = await start(scheme);
    const transport = createMailTransport({ smtpUrl: url, from: 'no-reply@acme.example' });
    const error = await transport
      .send({ to: 'x@people.example', messageId: '<x@y>', rendered: renderMail(factsOf('warn')) })
      .catch((reason: unknown) => reason);
    transport.close();
    expect(error).toBeInstanceOf(TemporaryMailError);
    expect(error).toMatchObject({ concernsCertificate: true, concernsServer: true, phase: 'tls' });
    expect(server.recipients).toEqual([]);
  });

  it('is accepted without a check if the operator says so', async () => {
    const { server, url } = await start(scheme);
    const smtpUrl = `${url}?tls.rejectUnauthorized=false`;
    const transport = createMailTransport({ smtpUrl, from: 'no-reply@acme.example' });
    const sent = await transport.send({
      to: 'x@people.example',
      messageId: '<x@y>',
      rendered: renderMail(factsOf('warn')),
    });
    transport.close();
    expect(sent.outcome).toBe('accepted');
    expect(server.secured()).toBe(1);
  });
});
