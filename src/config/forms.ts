/** Forms of environment variables: URLs, networks, tokens. Pure. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { dayMs, parseDuration } from '../domain/duration.js';
import { plainUrl } from '../domain/plain-url.js';

export const url = (protocols: string[]) =>
  z.string().refine(
    (value) => {
      try {
        return protocols.includes(new URL(value).protocol.replace(/:$/, ''));
      } catch {
        return false;
      }
    },
    { message: `must be a URL with the scheme ${protocols.join(' or ')}` },
  );
export const httpUrl = url(['http', 'https']).transform((value) => value.replace(/\/+$/, ''));
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** These URLs contain tokens, so they must not be sent unencrypted. */
export const linkBaseUrl = httpUrl.refine(
  (value) => {
    const url = plainUrl(value);
    return url !== undefined && (url.protocol === 'https:' || loopbackHosts.includes(url.hostname));
  },
  {
    message: 'must be an https URL (http for a loopback address only) without credentials, query or fragment',
  },
);

export const networks = z
  .string()
  .transform((value) => value.split(',').map((part) => part.trim()))
  .refine(
    (parts) =>
      parts.every((part) => {
        const [address = '', bits, ...rest] = part.split('/');
        const version = isIP(address);
        const isMask =
          bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
        return version !== 0 && isMask && rest.length === 0;
      }),
    { message: 'takes IP addresses and networks, as 10.0.0.7 or 10.0.0.0/8, comma-separated' },
  );

/** One bare address: no display name, no group, nothing that extends a list. */
const bareAddress = /^[^\s@<>,;:"()[\]\\\p{Cc}\p{Cf}]+@[^\s@<>,;:"()[\]\\\p{Cc}\p{Cf}]+$/u;
const mostRecipients = 20;

export const recipients = z
  .string()
  .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))])
  .refine((parts) => parts.every((part) => part.length <= 254 && bareAddress.test(part)), {
    message: 'takes bare mail addresses, as security@acorn.example, comma-separated',
  })
  .refine((parts) => parts.length <= mostRecipients, {
    message: `takes ${mostRecipients} addresses at most. Name a mailing list`,
  });

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** Calls a second. */
export const callRate = z
  .string()
  .refine((value) => /^\d{1,4}(\.\d{1,3})?$/.test(value) && Number(value) >= 0.1 && Number(value) <= 5_000, {
    message: 'must be a number from 0.1 to 5000 without a unit, as 100: it is a second',
  })
  .transform(Number);
export const callRateOrAuto = z.union([z.literal('auto'), callRate], {
  error: 'must be auto, or a number from 0.1 to 5000 without a unit, as 100: it is a second',
});
export const concurrency = z
  .string()
  .refine((value) => /^[1-9]\d{0,2}$/.test(value), { message: 'must be a whole number from 1 to 999, as 20' })
  .transform(Number);
export const port = z.coerce.number().int().min(0).max(65_535);

/** A service token shorter than this is refused: 32 characters of base64url are 192 bits. */
const minServiceTokenLength = 32;

/** Milliseconds. Below 90 days the breaker would lose its baseline. */
const kept = (least: string, example: string) =>
  z
    .string()
    .transform((text) => parseDuration(text) ?? 0)
    .refine((keptMs) => keptMs >= (parseDuration(least) ?? 0) && keptMs <= 36_500 * dayMs, {
      message: `must be a duration from ${least} to 36500d, as ${example}`,
    });

export const keptFor = kept('90d', '400d');
/** Of what is no evidence. */
export const logKeptFor = kept('1d', '30d');

/** Standard Webhooks 1.0: 24 bytes at least, in base64 behind `whsec_`. Other secrets are taken as they stand. */
const webhookSecret = /^whsec_(?=.{32})[A-Za-z0-9+/]+={0,2}$/;

export const serviceTokens = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((token) => token.trim())
      .filter((token) => token !== ''),
  )
  .refine((tokens) => tokens.length >= 1 && tokens.length <= 2, {
    message: 'takes one token, or two while one is being rotated out (comma-separated)',
  })
  .refine((tokens) => tokens.every((token) => token.length >= minServiceTokenLength), {
    message: `needs at least ${minServiceTokenLength} characters a token (for example: openssl rand -base64 32)`,
  });

export const eventSecrets = serviceTokens.refine(
  (secrets) => secrets.every((secret) => !secret.startsWith('whsec_') || webhookSecret.test(secret)),
  {
    message:
      'has a whsec_ secret that is no base64 of 24 bytes or more (make one: echo whsec_$(openssl rand -base64 32))',
  },
);
