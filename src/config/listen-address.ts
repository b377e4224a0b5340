/** Forms of environment variables that say where a process listens. Pure. */
import { isIP } from 'node:net';
import { z } from 'zod';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

interface Rules {
  /** Which hosts are taken beside IPv6 addresses in brackets. */
  readonly isHost: (host: string) => boolean;
  /** The host of a port that stands alone. Absent: a port alone is refused. */
  readonly defaultHost?: string;
  readonly message: string;
}

/** `host:port`; an IPv6 address in brackets. */
const address = ({ isHost, defaultHost, message }: Rules) =>
  z.string().transform((text, context): ListenAddress => {
    const [, bracketed, plain = defaultHost, digits = ''] =
      /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? [];
    const host = bracketed ?? plain;
    const isTaken = bracketed === undefined ? host !== undefined && isHost(host) : isIP(bracketed) === 6;
    if (host !== undefined && isTaken && digits !== '' && Number(digits) <= 65_535) {
      return { host, port: Number(digits) };
    }
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

export const listenAddress = address({
  isHost: (host) => /^[A-Za-z0-9.-]+$/.test(host),
  message: 'must be an address and a port, as 127.0.0.1:8322 or [::1]:8322',
});

export const metricsAddress = address({
  isHost: (host) => isIP(host) === 4 || host === 'localhost',
  // guard: metrics: a port alone is one of the loopback address
  defaultHost: '127.0.0.1',
  message: 'takes a port of the loopback address as 9464, or address and port as 10.0.0.7:9464 or [::1]:9464',
});
