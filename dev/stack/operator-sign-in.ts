/**
 * Sign-in of operators for development: a page that lets a developer be any of a few people, each with a role, at the stack's Hydra. It asks
 * for no password, so it listens on the loopback address only. Who comes for another client than the desk's is led on to the app's own pages.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { type Role, roles } from '../../src/domain/principals/roles.js';
import { writeFileAtomically } from './files.js';
import { applicationUrl, loopbackHost } from './ports.js';

/** The clients for which people sign in here begin with this. */
export const deskClient = 'dormouse-desk';
export const operatorsAudience = 'dormouse-operators';

/** Two operators and two approvers, so that one can approve what another proposed. */
export const developers: Readonly<Record<string, Role>> = {
  vera: 'viewer',
  olaf: 'operator',
  oona: 'operator',
  anna: 'approver',
  arne: 'approver',
  adam: 'admin',
};

export interface OperatorSignIn {
  /** For Hydra's configuration. */
  readonly loginUrl: string;
  readonly consentUrl: string;
  close(): Promise<void>;
}

/** @param hydraAdminUrl is asked when somebody signs in, so Hydra may start later */
export async function startOperatorSignIn(port: number, hydraAdminUrl: string): Promise<OperatorSignIn> {
  const server = createServer((request, response) => {
    answer(request, response, hydraAdminUrl).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : 'failed';
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(message);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopbackHost, resolve);
  });
  const url = `http://${loopbackHost}:${port}`;
  return {
    loginUrl: `${url}/login`,
    consentUrl: `${url}/consent`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Makes the desk's client at Hydra, or brings it up to date. @param deskUrl DORMOUSE_DESK_URL */
export async function registerDesk(hydraAdminUrl: string, deskUrl: string, id = deskClient): Promise<void> {
  const client = JSON.stringify({
    ...{ client_id: id, client_name: 'Dormouse desk', token_endpoint_auth_method: 'none' },
    ...{ grant_types: ['authorization_code'], response_types: ['code'], scope: 'openid' },
    redirect_uris: [`${deskUrl}/desk/signed-in`],
    ...{ audience: [operatorsAudience], access_token_strategy: 'jwt' },
  });
  const send = (method: 'PUT' | 'POST', path: string) =>
    fetch(new URL(path, hydraAdminUrl), {
      ...{ method, body: client, headers: { 'content-type': 'application/json' } },
    });
  const changed = await send('PUT', `/admin/clients/${id}`);
  if (changed.ok) return;
  const made = await send('POST', '/admin/clients');
  if (!made.ok) throw new Error(`Hydra did not take the desk's client: ${made.status} ${await made.text()}`);
}

/** @returns the text of an operators' file for the stack's Hydra */
export async function operatorsFileFor(hydraPublicUrl: string, client = deskClient): Promise<string> {
  const answer = await fetch(new URL('/.well-known/openid-configuration', hydraPublicUrl));
  const { issuer } = z.object({ issuer: z.string() }).parse(await answer.json());
  return `issuers:
  - alias: dev
    issuer: ${issuer}
    audience: ${operatorsAudience}
    clients: [${client}]
    rolesClaim: ext.roles
    roles: { ${roles.map((role) => `${role}: ${role}`).join(', ')} }
    desk: { client: ${client} }
`;
}

/** Writes the operators' file into the stack's data directory. @returns its path */
export async function writeOperatorsFile(directory: string, hydraPublicUrl: string): Promise<string> {
  const path = join(directory, 'operators.yaml');
  await writeFileAtomically(path, await operatorsFileFor(hydraPublicUrl));
  return path;
}

async function answer(request: IncomingMessage, response: ServerResponse, admin: string): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${loopbackHost}`);
  if (url.pathname === '/login' && request.method === 'GET') return askWho(url, response, admin);
  if (url.pathname === '/login' && request.method === 'POST') return signIn(request, response, admin);
  if (url.pathname === '/consent') return consent(url, response, admin);
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end("There is nothing here. An app's own sign-in page would be at its own address.");
}

const forClient = { client: z.object({ client_id: z.string().optional() }).optional() };
const asked = z.object(forClient);

const isForDesk = ({ client }: z.output<typeof asked>) => client?.client_id?.startsWith(deskClient) === true;

/** Where an app that signs people in at this Hydra has its pages. */
const toApplication = ({ pathname, search }: URL) => `${applicationUrl}${pathname}${search}`;

async function askWho(url: URL, response: ServerResponse, admin: string): Promise<void> {
  const challenge = url.searchParams.get('login_challenge') ?? '';
  if (!isForDesk(asked.parse(await ask(admin, 'login', challenge)))) {
    return redirect(response, toApplication(url));
  }
  const buttons = Object.entries(developers).map(
    ([name, role]) => `<p><button name="who" value="${name}">${name}, ${role}</button></p>`,
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Who are you? (development)</title><meta name="color-scheme" content="light dark">
<body style="font: 1rem/1.5 system-ui; max-width: 30rem; margin: 3rem auto; padding: 0 1rem"><h1>Who are you?</h1>
<p>This page stands in for a company’s sign-in. It is part of the development stack.</p>
<form method="post"><input type="hidden" name="challenge" value="${encodeURIComponent(challenge)}">${buttons.join('')}</form>`);
}

async function signIn(request: IncomingMessage, response: ServerResponse, admin: string): Promise<void> {
  let body = '';
  for await (const part of request) {
    body += String(part);
    if (body.length > 20_000) throw new Error('the form is too large');
  }
  const form = new URLSearchParams(body);
  const subject = form.get('who') ?? '';
  if (!Object.hasOwn(developers, subject)) throw new Error('nobody of this name is known');
  const challenge = decodeURIComponent(form.get('challenge') ?? '');
  if (!isForDesk(asked.parse(await ask(admin, 'login', challenge))))
    throw new Error('this is no sign-in at the desk');
  redirect(response, await accept(admin, 'login', challenge, { subject }));
}

const consented = z.object({
  ...forClient,
  subject: z.string(),
  requested_scope: z.array(z.string()),
  requested_access_token_audience: z.array(z.string()).nullish(),
});

async function consent(url: URL, response: ServerResponse, admin: string): Promise<void> {
  const challenge = url.searchParams.get('consent_challenge') ?? '';
  const request = consented.parse(await ask(admin, 'consent', challenge));
  if (!isForDesk(request)) return redirect(response, toApplication(url));
  const role = developers[request.subject];
  const to = await accept(admin, 'consent', challenge, {
    grant_scope: request.requested_scope,
    grant_access_token_audience: request.requested_access_token_audience ?? [],
    session: { access_token: { roles: role === undefined ? [] : [role] } },
  });
  redirect(response, to);
}

async function ask(admin: string, step: 'login' | 'consent', challenge: string): Promise<unknown> {
  const url = new URL(`/admin/oauth2/auth/requests/${step}`, admin);
  url.searchParams.set(`${step}_challenge`, challenge);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`Hydra knows no such ${step} (${answer.status}). Begin again at the desk`);
  return answer.json();
}

async function accept(
  admin: string,
  step: 'login' | 'consent',
  challenge: string,
  body: object,
): Promise<string> {
  const url = new URL(`/admin/oauth2/auth/requests/${step}/accept`, admin);
  url.searchParams.set(`${step}_challenge`, challenge);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`Hydra did not take the ${step} (${answer.status})`);
  return z.object({ redirect_to: z.string() }).parse(await answer.json()).redirect_to;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location });
  response.end();
}
