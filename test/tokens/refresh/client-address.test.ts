import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress, parseAddress, trustedProxies } from '../../../src/tokens/refresh/client-address.js';

const proxies = trustedProxies(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);

describe('the address of a client', () => {
  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['without a proxy', '203.0.113.9', undefined, '203.0.113.9'],
    ['of a direct peer that forges the header', '203.0.113.9', '198.51.100.7', '203.0.113.9'],
    ['behind a proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['behind a proxy, forged in front', '10.0.0.1', '198.51.100.7, 203.0.113.9', '203.0.113.9'],
    ['behind two proxies, forged in front', '10.0.0.1', '8.8.8.8, 203.0.113.9, 192.0.2.1', '203.0.113.9'],
    ['behind proxies alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['behind a proxy that forwards none', '10.0.0.1', undefined, '10.0.0.1'],
    ['up to what is no address', '10.0.0.1', '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['with an empty hop', '10.0.0.1', '203.0.113.9, ', '10.0.0.1'],
    ['of a socket with IPv4 within IPv6', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['with IPv4 within IPv6 in the header', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['with IPv6 in another form', 'fd00::1', '2001:DB8:0:0::0001', '2001:db8::1'],
    ['with ports', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['with IPv6 and a port', '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['of a closed connection', undefined, '203.0.113.9', undefined],
  ])('%s', (_what, socket, header, address) => {
    expect(clientAddress(socket, header, proxies)).toBe(address);
  });

  it('is the socket’s, whatever is forwarded, where nobody is trusted', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.string(), (socket, header) => {
        expect(clientAddress(socket, header, trustedProxies([]))).toBe(socket);
      }),
    );
  });

  it('never comes from left of a hop that is not trusted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (forged) => {
        const header = [...forged.map((text) => text.replaceAll(',', '')), '203.0.113.9'].join(', ');
        expect(clientAddress('10.0.0.1', header, proxies)).toBe('203.0.113.9');
      }),
    );
  });

  it('is written in one form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const parsed = parseAddress(text) ?? '';
        expect(parseAddress(parsed)).toBe(parsed);
        expect(parseAddress(text.toUpperCase())).toBe(parsed);
      }),
    );
  });
});

describe('a list of trusted proxies', () => {
  it.each([
    '',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fd00::/129',
    '10.0.0.0/-1',
  ])('refuses "%s" and names its place', (network) => {
    expect(() => trustedProxies(['10.0.0.1', network])).toThrow(/^trustedProxies\.1: is no address/);
  });
});
