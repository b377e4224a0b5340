/** A second factor by TOTP (RFC 6238), enrolled and given at Kratos as a person's authenticator does. */
import { createHmac } from 'node:crypto';
import { Configuration, FrontendApi } from '@ory/client';
import type { SignIn } from '../../dev/demo/ory-people.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const periodMs = 30_000;

export class SecondFactor {
  private readonly frontend: FrontendApi;

  constructor(kratosUrl: string) {
    this.frontend = new FrontendApi(new Configuration({ basePath: kratosUrl }));
  }

  /** Enrols an authenticator, which Kratos takes as a second factor of this session, too. @returns its secret */
  async enrol({ sessionToken: xSessionToken }: SignIn): Promise<Buffer> {
    const { data: flow } = await this.frontend.createNativeSettingsFlow({ xSessionToken });
    const secret = fromBase32(secretIn(flow.ui.nodes));
    await this.frontend.updateSettingsFlow({
      flow: flow.id,
      xSessionToken,
      updateSettingsFlowBody: { method: 'totp', totp_code: codeOf(secret) },
    });
    return secret;
  }

  /** Gives the second factor within a session. */
  async give({ sessionToken: xSessionToken }: SignIn, secret: Buffer): Promise<void> {
    const { data: flow } = await this.frontend.createNativeLoginFlow({ aal: 'aal2', xSessionToken });
    await this.frontend.updateLoginFlow({
      flow: flow.id,
      xSessionToken,
      updateLoginFlowBody: { method: 'totp', totp_code: codeOf(secret) },
    });
  }

  /** The session as an app sees it (whoami). */
  async session({ sessionToken: xSessionToken }: SignIn) {
    return (await this.frontend.toSession({ xSessionToken })).data;
  }
}

/** The code of now. Kratos also takes those of the period before and after, so it may take half a minute on its way. */
function codeOf(secret: Buffer): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / periodMs)));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const number = digest.readUInt32BE((digest.at(-1) ?? 0) & 0xf) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function secretIn(nodes: readonly { readonly attributes: object }[]): string {
  for (const { attributes } of nodes) {
    if (!('id' in attributes) || attributes.id !== 'totp_secret_key' || !('text' in attributes)) continue;
    const { text } = attributes.text as { readonly text: string };
    return text;
  }
  throw new Error('Kratos offers no TOTP secret');
}
