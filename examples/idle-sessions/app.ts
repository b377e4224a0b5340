/** A Fastify app whose sessions end when nobody uses them. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type IdleSessionOptions, idleSessions } from '@dormouse/client/idle-sessions/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { appPage, sessionsPage, signInPage, style } from './pages.js';
import { signInAt } from './sign-in.js';

export interface ExampleOptions
  extends Pick<IdleSessionOptions<unknown>, 'postgresUrl' | 'clock' | 'log' | 'verifyTimeoutMs' | 'staleMs'> {
  readonly kratos: { readonly publicUrl: string; readonly adminUrl: string };
}

/** Short, so that a person sees it happen. */
const policy = {
  allowShortDurations: true,
  idle: '2m',
  absolute: '30m',
  routes: { '/billing': '1m', '/admin': '1m' },
  warnBefore: '25s',
  stepUp: { '/admin': '10m' },
  choices: { offered: [0, '1m', '2m'] },
  lease: { atMost: '15m', beat: '15s' },
};

const open = { config: { dormouse: { public: true } } };

export async function createExample({ kratos, ...options }: ExampleOptions): Promise<FastifyInstance> {
  const app = Fastify();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(body.toString())));
    },
  );
  await app.register(idleSessions, {
    ...options,
    kratos,
    policy,
    signInUrl: ({ url }, { reason }) => `/login?${new URLSearchParams({ reason, return_to: url })}`,
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', "default-src 'self'");
    reply.header('cache-control', 'no-store');
  });

  app.get('/', (_request, reply) => reply.redirect('/dashboard'));
  for (const path of ['/dashboard', '/billing', '/upload', '/admin']) {
    app.get(path, (_request, reply) => reply.type('text/html').send(appPage(path)));
  }
  app.get('/sessions', (_request, reply) => reply.type('text/html').send(sessionsPage()));

  app.get<{ Querystring: { reason?: string; return_to?: string } }>('/login', open, ({ query }, reply) =>
    reply.type('text/html').send(signInPage(query.reason, ownPath(query.return_to))),
  );
  app.post<{ Body: { identifier?: string; password?: string; return_to?: string } }>(
    '/login',
    open,
    async ({ body, headers }, reply) => {
      // Nobody is signed in by another site's form.
      if (headers['sec-fetch-site'] === 'cross-site') return reply.code(403).send();
      const { identifier = '', password = '' } = body;
      const target = ownPath(body.return_to);
      const cookies = await signInAt(kratos.publicUrl, { identifier, password }, headers['user-agent']);
      if (cookies === undefined) {
        return reply.redirect(`/login?${new URLSearchParams({ reason: 'refused', return_to: target })}`, 303);
      }
      return reply.header('set-cookie', cookies).redirect(target, 303);
    },
  );

  const scripts = new URL('./public/', import.meta.url);
  for (const name of ['app.js', 'sessions.js']) {
    app.get(`/${name}`, open, async (_request, reply) =>
      reply.type('text/javascript').send(await readFile(new URL(name, scripts))),
    );
  }
  const library = createRequire(import.meta.url).resolve('@dormouse/browser/script');
  app.get('/dormouse.js', open, async (_request, reply) =>
    reply.type('text/javascript').send(await readFile(library)),
  );
  app.get('/style.css', open, (_request, reply) => reply.type('text/css').send(style));
  return app;
}

/** A path of this app, so that nobody is led elsewhere after the sign-in. */
function ownPath(path = '/dashboard'): string {
  return /^\/(?![/\\])[\x20-\x7E]*$/.test(path) && !path.startsWith('/login') ? path : '/dashboard';
}
