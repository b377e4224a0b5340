/** The address of the client behind trusted proxies. Whoever is not trusted is the client: what it forwards is its own invention. */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** Networks whose `X-Forwarded-For` is believed. */
export type TrustedProxies = Pick<BlockList, 'check'>;

/**
 * @param networks addresses or CIDR networks, such as `10.0.0.0/8`
 * @throws TypeError naming the entry that is none
 */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const [index, network] of networks.entries()) {
    const [address = '', length, ...rest] = network.split('/');
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
    if (family === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= bits)) {
      throw new TypeError(
        `trustedProxies.${index}: is no address and no network. Write 10.0.0.7, 10.0.0.0/8 or fd00::/8`,
      );
    }
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/**
 * Walks `X-Forwarded-For` from its right end, as long as the hop before is trusted. What is no address ends the walk at the last good one.
 *
 * @param socketAddress of the direct peer; `undefined`: its connection is closed
 * @returns in canonical form; IPv4 within IPv6 as IPv4
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trusted: TrustedProxies,
): string | undefined {
  let address = parseAddress(socketAddress ?? '');
  if (address === undefined) return undefined;
  const hops = [forwardedFor ?? []].flat().join(',').split(',').reverse();
  for (const hop of hops) {
    // guard: refresh: what an untrusted peer forwards does not count
    if (!trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')) return address;
    const parsed = parseAddress(hop.trim());
    if (parsed === undefined) return address;
    address = parsed;
  }
  return address;
}

/** With or without a port, which some proxies write. @returns canonical; `undefined`: no address */
export function parseAddress(text: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return /^::ffff:([\d.]+)$/.exec(address)?.[1] ?? address;
}
