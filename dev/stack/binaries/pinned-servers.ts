/**
 * The servers that the stack takes from PATH or builds: which versions are
 * accepted, and how each is built. Pure.
 */

export const serverNames = ['temporal', 'kratos', 'hydra'] as const;
export type ServerName = (typeof serverNames)[number];

export interface PinnedServer {
  /** Name of the program, and of its folder under `tools/`. */
  name: ServerName;
  /** The name shown to people. */
  title: string;
  /** The Go package to build. */
  package: string;
  /** Flags of `go build` beyond those that all builds share. */
  buildFlags: readonly string[];
  /** Arguments that make the program print its version. */
  versionArguments: readonly string[];
  /** Finds the version in that output. */
  versionPattern: RegExp;
  /** Which versions of a program on PATH are accepted, for people. */
  wanted: string;
  isUsable(version: string): boolean;
  /** The variables that name a running server instead. */
  variables: readonly string[];
}

/** The program's path for each server. A server that runs elsewhere has none. */
export type ResolvedBinaries = Partial<Record<ServerName, string>>;

export const pinnedServers: Record<ServerName, PinnedServer> = {
  temporal: {
    name: 'temporal',
    title: 'Temporal',
    package: 'github.com/temporalio/cli/cmd/temporal',
    buildFlags: ['-ldflags=-X github.com/temporalio/cli/temporalcli.Version=1.5.1'],
    versionArguments: ['--version'],
    // "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)": the server's version counts.
    versionPattern: /\(Server v?([^\s,)]+)/,
    wanted: 'a Temporal CLI with server 1.29 or later',
    isUsable: (version) => isWithin(version, 1, 29, Number.POSITIVE_INFINITY),
    variables: ['DORMOUSE_TEMPORAL_ADDRESS'],
  },
  kratos: {
    name: 'kratos',
    title: 'Kratos',
    package: 'github.com/ory/kratos',
    buildFlags: ['-tags=sqlite', '-ldflags=-X github.com/ory/kratos/driver/config.Version=v1.3.1'],
    versionArguments: ['version'],
    versionPattern: /Version:\s*(\S+)/,
    wanted: 'Kratos 1.3',
    isUsable: (version) => isWithin(version, 1, 3, 3),
    variables: ['DORMOUSE_KRATOS_PUBLIC_URL', 'DORMOUSE_KRATOS_ADMIN_URL'],
  },
  hydra: {
    name: 'hydra',
    title: 'Hydra',
    package: 'github.com/ory/hydra/v2',
    buildFlags: ['-tags=sqlite', '-ldflags=-X github.com/ory/hydra/v2/driver/config.Version=v2.3.0'],
    versionArguments: ['version'],
    versionPattern: /Version:\s*(\S+)/,
    wanted: 'Hydra 2.3',
    isUsable: (version) => isWithin(version, 2, 3, 3),
    variables: ['DORMOUSE_HYDRA_PUBLIC_URL', 'DORMOUSE_HYDRA_ADMIN_URL'],
  },
};

/**
 * Whether a version has this major and a minor from `from` to `to`. False for a
 * version without numbers ("master").
 */
function isWithin(version: string, major: number, from: number, to: number): boolean {
  const match = version.match(/^v?(\d+)\.(\d+)/);
  if (match === null) return false;
  const minor = Number(match[2]);
  return Number(match[1]) === major && minor >= from && minor <= to;
}
