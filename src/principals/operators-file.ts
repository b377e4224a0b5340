/** Reads the file of OIDC issuers whose tokens operators may show: YAML in, checked issuers out. Pure. */
import { z } from 'zod';
import { type Role, roles } from '../domain/principals/roles.js';
import { parseYamlFile } from '../process/yaml-file.js';

const loopback = ['127.0.0.1', '[::1]', 'localhost'];

/** Keys are fetched from there, so it requires TLS, except for tests on one machine. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname));
  return isSafe && username === '' && password === '';
}

const issuerSchema = z.strictObject({
  /** Names the issuer in actors: `oidc:<alias>:<subject>`. */
  alias: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,15}$/,
      'takes a lower-case letter, then lower-case letters, digits and -, 16 at most',
    ),
  /** Exactly as its tokens and its metadata have it. */
  issuer: z
    .string()
    .max(500)
    .refine(isSecureUrl, 'takes an https URL without user and password (http on the loopback address only)'),
  /** What `aud` has to hold: a name of this API, never the id of a client. */
  audience: z.string().min(1).max(500),
  /** The clients whose tokens are taken, by `azp` or `client_id`. */
  clients: z.array(z.string().min(1).max(200)).min(1).max(20),
  /** Where the claim with a person's groups is, as `roles` or `ext.roles`. */
  rolesClaim: z
    .string()
    .regex(
      /^[A-Za-z0-9_:/-]{1,200}(\.[A-Za-z0-9_:/-]{1,200}){0,3}$/,
      'takes the name of a claim, or a path as ext.roles',
    )
    .default('roles'),
  /** From a value of that claim to a role. */
  roles: z
    .record(z.string().min(1).max(200), z.enum(roles, `takes one of ${roles.join(', ')}`))
    .transform((record) => new Map<string, Role>(Object.entries(record))),
  /** How operators sign in at the desk by this issuer (docs/desk.md). Left out: they do not. */
  desk: z
    .strictObject({
      /** The desk's client at the issuer; one of `clients`. */
      client: z.string().min(1).max(200),
      /** The file with the client's secret. Left out: a public client, which PKCE protects. */
      secretFile: z.string().min(1).max(500).optional(),
      /** What is asked for. `openid` is among it. */
      scope: z
        .string()
        .max(500)
        .refine((scope) => scope.split(' ').includes('openid'), 'needs openid among its values')
        .default('openid'),
    })
    .optional(),
});

const fileSchema = z.strictObject({
  issuers: z
    .array(issuerSchema)
    .min(1)
    .max(20)
    .superRefine((issuers, context) => {
      for (const field of ['alias', 'issuer'] as const) {
        const values = issuers.map((one) => one[field]);
        values.forEach((value, index) => {
          if (values.indexOf(value) === index) return;
          context.addIssue({ code: 'custom', path: [index, field], message: 'is taken by another issuer' });
        });
      }
      issuers.forEach(({ clients, desk }, index) => {
        if (desk === undefined || clients.includes(desk.client)) return;
        context.addIssue({
          code: 'custom',
          path: [index, 'desk', 'client'],
          message: 'is not among the clients whose tokens are taken. Name it there as well',
        });
      });
      issuers.forEach(({ audience, clients }, index) => {
        // The audience of an ID token is the client: whoever gets one of those must not be let in by it.
        if (!clients.includes(audience)) return;
        context.addIssue({
          code: 'custom',
          path: [index, 'audience'],
          message: 'is the id of a client, as in ID tokens. Give the API an audience of its own',
        });
      });
    }),
});

export type OperatorsIssuer = z.output<typeof issuerSchema>;

/** @throws ConfigError with every problem, its line and the way out */
export function parseOperatorsFile(text: string, file: string): readonly OperatorsIssuer[] {
  return parseYamlFile(fileSchema, text, file).issuers;
}
