/** A process that sends one mail, so that a test can set what Node reads at its start (NODE_EXTRA_CA_CERTS). */
import { renderMail } from '../../src/mail/render.js';
import { createMailTransport } from '../../src/smtp/transport.js';
import { factsOf } from './facts.js';

const transport = createMailTransport({ smtpUrl: process.argv[2] ?? '', from: 'no-reply@acme.example' });
const said = await transport
  .send({ to: 'x@people.example', messageId: '<x@acme.example>', rendered: renderMail(factsOf('warn')) })
  .then(
    ({ outcome }) => outcome,
    (error: unknown) => String(error),
  );
console.log(said);
transport.close();
