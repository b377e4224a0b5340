/** Dry runs at the gateway's routes: what is only asked is never carried out. */
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { open } from '../../src/http/access.js';
import { change, isDryRun, takeDryRuns } from '../../src/http/dry-run.js';
import { handleErrors } from '../../src/http/errors.js';

let server: FastifyInstance;
let carriedOut: string[];

beforeEach(() => {
  carriedOut = [];
  server = Fastify();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  handleErrors(server);
  takeDryRuns(server);
  const routes = server.withTypeProvider<ZodTypeProvider>();
  const schema = { body: z.strictObject({ n: z.number() }), response: { 200: z.object({ n: z.number() }) } };
  routes.post('/form', { config: change('holds:place'), schema }, ({ body }) => {
    carriedOut.push('form');
    return body;
  });
  routes.post('/own', { config: change('holds:place', 'own'), schema }, (request) => {
    if (!isDryRun(request)) carriedOut.push('own');
    return request.body;
  });
  routes.post('/none', { config: open('a test'), schema }, ({ body }) => {
    carriedOut.push('none');
    return body;
  });
  routes.post(
    '/checked',
    {
      config: change('holds:place'),
      schema,
      preHandler: async ({ body }) => {
        if (body.n > 1) throw Object.assign(new Error('too many'), { statusCode: 409 });
      },
    },
    ({ body }) => body,
  );
});

const post = (url: string, payload: object = { n: 1 }) => server.inject({ method: 'POST', url, payload });

it.each([
  ['/form?dryRun=true', 204, []],
  ['/form?dryRun=false', 200, ['form']],
  ['/form', 200, ['form']],
  ['/own?dryRun=true', 200, []],
  ['/own', 200, ['own']],
  ['/none', 200, ['none']],
  // No question is taken for a deed.
  ['/none?dryRun=true', 400, []],
  ['/form?dryRun=yes', 400, []],
  ['/form?dryrun=true', 400, []],
  ['/form?dryRun=true&dryRun=false', 400, []],
])('POST %s is answered %i', async (url, status, deeds) => {
  expect((await post(url)).statusCode).toBe(status);
  expect(carriedOut).toEqual(deeds);
});

it('a dry run is refused where the change would be: by its form, and by the checks before it', async () => {
  expect((await post('/form?dryRun=true', { n: 'x' })).statusCode).toBe(400);
  expect((await post('/checked?dryRun=true', { n: 2 })).statusCode).toBe(409);
  expect((await post('/checked?dryRun=true', { n: 1 })).statusCode).toBe(204);
});
