/** Whether an address lies in the networks that a credential is taken from. */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** @param networks CIDR, as PostgreSQL writes them; empty: any address is good. @returns false for what is no address */
export function isWithin(networks: readonly string[], address: string): boolean {
  if (networks.length === 0) return true;
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return false;
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    const family = isIP(base);
    if (family === 0) continue;
    list.addSubnet(base, bits === undefined ? (family === 4 ? 32 : 128) : Number(bits), familyName(family));
  }
  return list.check(canonical, familyName(isIP(canonical)));
}

/**
 * Whose refused calls count together: an IPv4 address, or the /64 of an IPv6 address, of which one caller has all.
 * @returns `unknown` for what is no address
 */
export function networkOf(address: string): string {
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return 'unknown';
  if (isIP(canonical) === 4) return canonical;
  const [before = '', after] = canonical.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}

/** IPv4 within IPv6 as IPv4. */
function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0) return undefined;
  if (family === 4) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return /^::ffff:([\d.]+)$/.exec(address)?.[1] ?? address;
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}
