/** The layout of the stack's data directory, and how it is created and wiped. Node only. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface DataDirectory {
  root: string;
  lockFile: string;
  infoFile: string;
  registerFile: string;
  secretsFile: string;
  logs: string;
  temporal: string;
  temporalDatabase: string;
  /** PostgreSQL's cluster, in a place that its user can reach; see postgres-account.ts. */
  postgres: string;
  kratos: string;
  hydra: string;
  mails: string;
}

export function dataDirectoryAt(root: string): DataDirectory {
  return {
    root,
    lockFile: join(root, 'stack.lock'),
    infoFile: join(root, 'stack.json'),
    registerFile: join(root, 'children.json'),
    secretsFile: join(root, 'secrets.json'),
    logs: join(root, 'logs'),
    temporal: join(root, 'temporal'),
    temporalDatabase: join(root, 'temporal', 'temporal.db'),
    postgres: join(root, 'postgres'),
    kratos: join(root, 'kratos'),
    hydra: join(root, 'hydra'),
    mails: join(root, 'mails'),
  };
}

/**
 * Creates the directory. Files with secrets have their own permissions; PostgreSQL's user must
 * be able to pass the directory.
 */
export async function makeDataDirectory(data: DataDirectory): Promise<void> {
  await mkdir(data.root, { recursive: true });
  await chmod(data.root, 0o711);
  for (const directory of [data.logs, data.mails, data.temporal, data.kratos, data.hydra]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
}

/** Removes only what the stack put there: a directory given by mistake keeps its owner's files. */
export async function wipeDataDirectory(data: DataDirectory): Promise<void> {
  const entries = [
    data.infoFile,
    data.registerFile,
    data.secretsFile,
    data.logs,
    data.postgres,
    `${data.postgres}.new`,
    data.kratos,
    data.hydra,
    data.mails,
    data.temporal,
  ];
  await Promise.all(entries.map((entry) => rm(entry, { recursive: true, force: true })));
}
