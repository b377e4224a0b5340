/** Reads the file of receivers of security events: YAML in, checked receivers out. Pure. */
import { z } from 'zod';
import { dayMs, parseDuration, secondMs } from '../domain/duration.js';
import { parseYamlFile } from '../process/yaml-file.js';
import { eventNames } from './rules.js';

const loopback = ['127.0.0.1', '[::1]', 'localhost'];

/** Events name people's accounts, so they require TLS, except for tests on one machine. */
const secureUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname));
  return isSafe && username === '' && password === '';
}, 'takes an https URL without user and password (http on the loopback address only)');

/**
 * SSF 1.0, section 7.1: no query, no fragment. Without a path, receivers find the
 * metadata where they look first.
 */
const issuer = secureUrl.refine(
  (text) => URL.canParse(text) && new URL(text).origin === text,
  "takes the gateway's public origin, as https://dormouse.example.com",
);

const deliverEvery = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 10 * secondMs && ms <= dayMs) return ms;
  context.addIssue({ code: 'custom', message: 'takes a duration from 10s to 1d, as 1m' });
  return z.NEVER;
});

const receiverSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'takes lower-case letters, digits and -, 32 at most'),
  endpoint: secureUrl,
  audience: z.string().min(1).max(500),
  events: z.array(z.enum(eventNames)).min(1),
  /**
   * Name of the environment variable that holds the header's whole value, so that the file holds no secret.
   */
  authorizationVariable: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'takes the name of an environment variable, never the value itself')
    .optional(),
  deliverEvery: deliverEvery.prefault('1m'),
});

const fileSchema = z
  .strictObject({
    issuer,
    /** `iss` under which receivers know the accounts: usually Hydra's issuer. */
    subjectIssuer: z.string().min(1).max(500).optional(),
    receivers: z.array(receiverSchema).superRefine((receivers, context) => {
      const names = receivers.map(({ name }) => name);
      names.forEach((name, index) => {
        if (names.indexOf(name) === index) return;
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is taken by another receiver' });
      });
    }),
  })
  .transform((file) => ({ ...file, subjectIssuer: file.subjectIssuer ?? file.issuer }));

export type EventReceiver = z.output<typeof receiverSchema>;
/** The sender and the receivers. */
export type EventStreams = z.output<typeof fileSchema>;

/** @throws ConfigError with every problem, its line and the way out */
export function parseReceiversFile(text: string, file: string): EventStreams {
  return parseYamlFile(fileSchema, text, file);
}
