/** Schemas of the pages' requests and answers, for validation and for the OpenAPI document. */
import { z } from 'zod';
import { logCategories } from '../tokens/access/request-log-table.js';

/** A token of another length is invalid, and is answered like an unknown one. */
const params = z.object({ token: z.string().describe('the secret of a link in a mail') });
const form = z.object({
  identifier: z.string().default('').describe('mail address or user name of the account'),
});

/** A form can only send text. */
const sessionsForm = z.discriminatedUnion('do', [
  z.object({ do: z.literal('end'), id: z.uuid().describe('the session to end') }),
  z.object({ do: z.literal('end-others') }),
  z.object({ do: z.literal('sign-out') }),
  z.object({
    do: z.literal('choose'),
    idleMs: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .describe('after how many milliseconds without input the person is signed out; 0: as the policy says'),
  }),
]);

const accessForm = z.discriminatedUnion('do', [
  z.object({ do: z.literal('end'), id: z.uuid().describe('the family to end') }),
  z.object({ do: z.literal('end-all') }),
]);

export interface AccessForm {
  Body: z.output<typeof accessForm>;
}

export interface SessionsForm {
  Body: z.output<typeof sessionsForm>;
}

const tokensForm = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('create'),
    name: z.string().default('').describe('what the token is for'),
    type: z.string().default('personal').describe('a type of the policy'),
    scopes: z.string().default('').describe('separated by spaces'),
    days: z
      .string()
      .regex(/^\s*(\d{1,5})?\s*$/)
      .transform((text) => (text.trim() === '' ? undefined : Number(text)))
      .optional()
      .describe('until it expires; empty: as long as the policy allows'),
  }),
  z.object({ do: z.literal('rotate'), id: z.uuid().describe('the token to replace') }),
  z.object({ do: z.literal('revoke'), id: z.uuid().describe('the token to end') }),
]);

export interface TokensForm {
  Body: z.output<typeof tokensForm>;
}

export interface TokenParameters {
  Params: z.output<typeof params>;
}
export interface RequestForm {
  Body: z.output<typeof form>;
}

/** A form sends each field, also where nothing is chosen. */
const activityQuery = z.object({
  category: z
    .enum(['', ...logCategories])
    .default('')
    .describe('empty: all'),
  from: z
    .string()
    .max(40)
    .default('')
    .describe('the first day, as 2026-03-01, by UTC; empty: as far as it is kept'),
  to: z.string().max(40).default('').describe('the last day; empty: until now'),
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .describe('entries before this one'),
});

export interface ActivityQuery {
  Querystring: z.output<typeof activityQuery>;
}

const html = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });

const always = {
  429: html('Too many requests of one network; Retry-After says when to come back'),
  503: html('PostgreSQL or Temporal is away; the link still holds'),
};
const withForm = {
  413: html('The form is too large'),
  415: html('No HTML form'),
};
const ofSessions = {
  ...always,
  503: html('PostgreSQL or Kratos is away; nothing was decided'),
  401: html('Nobody is signed in'),
};
const byToken = { ...always, 404: html('Unknown, used, expired or superseded; all answered alike') };

export const pageSchemas = {
  keep: {
    summary: 'A page: what "Keep my account" does',
    params,
    response: { ...byToken, 200: html('Asks') },
  },
  confirmKeep: {
    summary: 'Postpone what the mail announced',
    params,
    response: { ...byToken, ...withForm, 200: html('Postponed') },
  },
  request: {
    summary: 'A page: ask for a reactivation link',
    response: { ...always, 200: html('Asks for the address') },
  },
  confirmRequest: {
    summary: 'Ask for a reactivation link; the answer never says whether there is such an account',
    body: { content: { 'application/x-www-form-urlencoded': { schema: form } } },
    response: { ...always, ...withForm, 400: html('No form'), 200: html('Look into your mail') },
  },
  reactivate: {
    summary: 'A page: what the reactivation link does',
    params,
    response: { ...byToken, 200: html('Asks') },
  },
  confirmReactivate: {
    summary: 'Bring the account back; signs nobody in',
    params,
    response: { ...byToken, ...withForm, 200: html('Active again') },
  },
  unsubscribe: {
    summary: 'A page: no more mails that are not owed',
    params,
    response: { ...byToken, 200: html('Asks') },
  },
  confirmUnsubscribe: {
    summary: 'No more mails that are not owed; what mail programs call for one click (RFC 8058)',
    params,
    response: { ...byToken, ...withForm, 200: html('Remembered') },
  },
  sessions: {
    summary: "A page: the person's own sessions, by the cookie of Kratos",
    response: { ...ofSessions, 200: html('The sessions') },
  },
  access: {
    summary: 'A page: apps and devices that stay signed in by refresh tokens, by the cookie of Kratos',
    response: { ...ofSessions, 200: html('The apps and devices') },
  },
  activity: {
    summary: 'A page: what apps recorded about the person, by the cookie of Kratos',
    querystring: activityQuery,
    response: {
      ...ofSessions,
      200: html('What was recorded'),
      400: html('No category, or no cursor, of this page; or a day that is none'),
    },
  },
  changeAccess: {
    summary: 'End the access of one app or device, or of all',
    body: { content: { 'application/x-www-form-urlencoded': { schema: accessForm } } },
    response: {
      ...ofSessions,
      ...withForm,
      303: html('Done: leads back to the page'),
      400: html('No form of this page'),
      403: html('The form came from another origin'),
    },
  },
  changeSessions: {
    summary: 'End own sessions, or choose when one is signed out',
    body: { content: { 'application/x-www-form-urlencoded': { schema: sessionsForm } } },
    response: {
      ...ofSessions,
      ...withForm,
      200: html('Signed out'),
      303: html('Done: leads back to the page'),
      400: html('No form of this page, or a limit that is not offered'),
      403: html('The form came from another origin'),
    },
  },
  tokens: {
    summary: "A page: the person's own access tokens, by the cookie of Kratos",
    response: { ...ofSessions, 200: html('The tokens, never themselves') },
  },
  changeTokens: {
    summary: 'Make, replace or revoke an own access token',
    body: { content: { 'application/x-www-form-urlencoded': { schema: tokensForm } } },
    response: {
      ...ofSessions,
      ...withForm,
      200: html('The new token, this once'),
      303: html('Done: leads back to the page'),
      400: html('No form of this page, or what the policy does not allow'),
      403: html('The form came from another origin'),
    },
  },
};
