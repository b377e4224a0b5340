/**
 * Reads the SMTP address that an operator configured. Pure. Its errors never quote the
 * URL, which holds the password.
 */

import { isIP } from 'node:net';
import { given } from '../domain/given.js';
import { MailConfigError } from './errors.js';

export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps:`). */
  secure: boolean;
  /** Refuse to continue without STARTTLS. */
  requireTls: boolean;
  /** Don't use STARTTLS even where it is offered. */
  ignoreTls: boolean;
  /** Check the server's certificate. */
  verifyCertificate: boolean;
  auth?: { user: string; pass: string };
}

const SMTPS_PORT = 465;
const SUBMISSION_PORT = 587;

/**
 * Parses `smtp[s]://[user:password@]host[:port][?requireTLS=…&ignoreTLS=…&tls.rejectUnauthorized=…]`
 * with `true` or `false` as values. Credentials require TLS, unless the server is on this machine or
 * `ignoreTLS=true` is set.
 *
 * @throws {@link MailConfigError} on anything else; unknown options are refused rather than ignored.
 */
export function parseSmtpUrl(smtpUrl: string): SmtpServer {
  const url = URL.canParse(smtpUrl) ? new URL(smtpUrl) : undefined;
  if (url === undefined || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new MailConfigError('the SMTP URL must look like smtp://host:port or smtps://user:password@host');
  }
  const options = readOptions(url.searchParams);
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  const auth = readCredentials(url);
  const ignoreTls = options.get('ignoreTLS') ?? false;
  const requireTls = options.get('requireTLS') ?? (auth !== undefined && !ignoreTls && !isLoopback(host));
  if (requireTls && ignoreTls) throw new MailConfigError('the SMTP URL both requires and ignores TLS');
  return {
    host,
    port: url.port === '' ? (secure ? SMTPS_PORT : SUBMISSION_PORT) : Number(url.port),
    secure,
    requireTls,
    ignoreTls,
    verifyCertificate: options.get('tls.rejectUnauthorized') ?? true,
    ...given({ auth }),
  };
}

function readOptions(search: URLSearchParams): Map<string, boolean> {
  const options = new Map<string, boolean>();
  for (const [name, value] of search) {
    if (!['requireTLS', 'ignoreTLS', 'tls.rejectUnauthorized'].includes(name)) {
      throw new MailConfigError('the SMTP URL has an unknown option');
    }
    if (value !== 'true' && value !== 'false') {
      throw new MailConfigError(`the SMTP URL's option ${name} must be true or false`);
    }
    options.set(name, value === 'true');
  }
  return options;
}

function readCredentials(url: URL): SmtpServer['auth'] {
  if (url.username === '' && url.password === '') return undefined;
  try {
    return { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  } catch {
    throw new MailConfigError('the credentials in the SMTP URL are not percent-encoded');
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
