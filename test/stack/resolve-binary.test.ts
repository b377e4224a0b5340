import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedServers } from '../../dev/stack/binaries/pinned-servers.js';
import { cachePathOf, type ResolveContext, resolveBinary } from '../../dev/stack/binaries/resolve-binary.js';
import { projectDirectory } from '../../dev/stack/project.js';
import { scratchDirectory, writeProgram } from './support/scratch.js';

const { kratos, temporal, hydra } = pinnedServers;

async function setUp() {
  const root = await scratchDirectory();
  const lines: string[] = [];
  const context: ResolveContext = {
    searchPath: `${join(root, 'bin')}:/usr/bin:/bin`,
    cacheRoot: join(root, 'cache'),
    toolsDirectory: join(projectDirectory, 'tools'),
    inherited: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, HOME: root, FAKE_GO_LOG: join(root, 'go.log') },
    progress: { line: (text) => lines.push(text), status: () => undefined },
  };
  return { root, lines, context, program: (name: string) => join(root, 'bin', name) };
}

/** A `go` that notes its arguments and writes a program where `-o` says. */
const fakeGo = `
echo "GOFLAGS=$GOFLAGS GOWORK=$GOWORK pwd=$(pwd) $*" >> "$FAKE_GO_LOG"
while [ $# -gt 0 ]; do [ "$1" = "-o" ] && { printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"; }; shift; done`;

describe('the order in which a server is resolved', () => {
  it('takes a program of a usable version from PATH before anything else', async () => {
    const { context, program } = await setUp();
    await writeProgram(program('kratos'), 'echo "Version:    v1.3.1"');
    await writeProgram(await cachePathOf(kratos, context), 'exit 0');
    expect(await resolveBinary(kratos, context)).toEqual({ path: program('kratos'), from: 'PATH' });
  });

  it('passes over a program of another version, says why, and takes the one in the cache', async () => {
    const { context, program, lines } = await setUp();
    await writeProgram(program('hydra'), 'echo "Version:    v1.11.0"');
    const cached = await writeProgram(await cachePathOf(hydra, context), 'exit 0');
    expect(await resolveBinary(hydra, context)).toEqual({ path: cached, from: 'cache' });
    expect(lines.join('\n')).toMatch(/hydra is not used: it is v1\.11\.0, and Hydra 2\.3 is needed/);
  });

  it("judges Temporal's CLI by the server in it", async () => {
    const { context, program } = await setUp();
    const cached = await writeProgram(await cachePathOf(temporal, context), 'exit 0');
    await writeProgram(program('temporal'), 'echo "temporal version 1.5.1 (Server 1.28.0, UI 2.42.1)"');
    expect(await resolveBinary(temporal, context)).toEqual({ path: cached, from: 'cache' });
    await writeProgram(program('temporal'), 'echo "temporal version 1.6.0 (Server 1.30.2, UI 2.45.0)"');
    expect(await resolveBinary(temporal, context)).toEqual({ path: program('temporal'), from: 'PATH' });
  });

  it('builds a missing program, with flags that the user’s settings don’t change, and finds it in the cache afterwards', async () => {
    const { context, program, root } = await setUp();
    await writeProgram(program('go'), fakeGo);
    context.inherited.GOFLAGS = '-mod=mod';
    const built = await resolveBinary(kratos, context);
    expect(built).toEqual({ path: await cachePathOf(kratos, context), from: 'build' });
    expect(await resolveBinary(kratos, context)).toEqual({ path: built.path, from: 'cache' });
    const calls = (await readFile(join(root, 'go.log'), 'utf8')).trim().split('\n');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toContain(
      `GOFLAGS=-mod=readonly GOWORK=off pwd=${join(projectDirectory, 'tools', 'kratos')}`,
    );
    expect(calls[0]).toMatch(/build .*-trimpath .*-tags=sqlite .* github\.com\/ory\/kratos$/);
  });

  it('names every way on when none works', async () => {
    const { context, program } = await setUp();
    await writeProgram(program('go'), 'echo "no required module provides package" >&2; exit 1');
    const failure = resolveBinary(kratos, context);
    await expect(failure).rejects.toThrow(/no required module provides package/);
    await expect(failure).rejects.toThrow(/DORMOUSE_KRATOS_PUBLIC_URL and DORMOUSE_KRATOS_ADMIN_URL/);
    await expect(failure).rejects.toThrow(/on PATH, as "kratos"/);
    await expect(failure).rejects.toThrow(/tools\/kratos/);
    await expect(failure).rejects.toThrow(/docker compose up/);
  });

  it('reports a missing Go', async () => {
    const { context, root } = await setUp();
    await expect(resolveBinary(hydra, { ...context, searchPath: root })).rejects.toThrow(
      /Go is not installed/,
    );
  });
});

describe('the cache', () => {
  it('keeps another program when the pinned modules change', async () => {
    const { context, root } = await setUp();
    await cp(context.toolsDirectory, join(root, 'tools'), { recursive: true });
    const changed = { ...context, toolsDirectory: join(root, 'tools') };
    expect(await cachePathOf(kratos, changed)).toBe(await cachePathOf(kratos, context));
    await appendFile(join(root, 'tools', 'kratos', 'go.sum'), '\n');
    expect(await cachePathOf(kratos, changed)).not.toBe(await cachePathOf(kratos, context));
  });

  it('is filled once when several ask at the same time', async () => {
    const { context, program, root } = await setUp();
    await writeProgram(program('go'), fakeGo);
    const results = await Promise.all([1, 2, 3].map(() => resolveBinary(hydra, context)));
    expect(new Set(results.map((result) => result.path)).size).toBe(1);
    expect((await readFile(join(root, 'go.log'), 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it('is filled although a process died while it built', async () => {
    const { context, program } = await setUp();
    await writeProgram(program('go'), fakeGo);
    const target = await cachePathOf(hydra, context);
    await writeProgram(`${target}.lock`, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    expect((await resolveBinary(hydra, context)).from).toBe('build');
  });
});
