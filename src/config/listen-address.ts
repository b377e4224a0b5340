/** The form of environment variables that say where a process listens. Pure. */
import { isIP } from 'node:net';
import { z } from 'zod';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** `address:port`, an IPv6 address in brackets. A port alone is one of the loopback address. Host names are refused: they may be elsewhere. */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? [];
  // guard: metrics: a port alone is one of the loopback address
  const host = bracketed ?? plain ?? '127.0.0.1';
  const isHost = bracketed === undefined ? isIP(host) === 4 || host === 'localhost' : isIP(host) === 6;
  if (digits !== '' && Number(digits) <= 65_535 && isHost) return { host, port: Number(digits) };
  context.addIssue({
    code: 'custom',
    message:
      'takes a port of the loopback address as 9464, or address and port as 10.0.0.7:9464 or [::1]:9464',
  });
  return z.NEVER;
});
