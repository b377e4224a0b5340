import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loopbackHost, reservePorts } from '../../dev/stack/ports.js';

describe('ports', () => {
  it('are the preferred ones if those are free, and others if not', async () => {
    const probe = await reservePorts({ free: 0 });
    const wanted = probe.ports.free;
    await probe.release();
    const first = await reservePorts({ one: wanted, other: 0 });
    onTestFinished(first.release);
    expect(first.ports.one).toBe(wanted);
    expect(first.ports.other).not.toBe(wanted);
    const second = await reservePorts({ one: wanted });
    onTestFinished(second.release);
    expect(second.ports.one).not.toBe(wanted);
  });

  it('are never ports that an outgoing connection may take meanwhile', async () => {
    const { ports, release } = await reservePorts({ a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0 });
    onTestFinished(release);
    for (const port of Object.values(ports)) expect(port).toBeLessThan(32_768);
  });

  it('avoid those that another program has', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, loopbackHost, resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve(undefined))));
    const address = server.address();
    const taken = address !== null && typeof address === 'object' ? address.port : 0;
    const { ports, release } = await reservePorts({ one: taken });
    onTestFinished(release);
    expect(ports.one).not.toBe(taken);
  });
});
