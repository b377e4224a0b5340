/** The time that a harness lives in: a Temporal server, and the clock that goes with it. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { StackInfo } from '../../../dev/stack/index.js';
import { type Clock, systemClock } from '../../../src/process/clock.js';
import { quietLog } from '../workers.js';

export interface Time {
  readonly address: string;
  readonly client: Client;
  /** For workers. */
  readonly native: NativeConnection;
  readonly clock: Clock;
  close(): Promise<void>;
}

/** The stack's own Temporal server: time goes at its own pace. */
export async function realTime({ temporal }: StackInfo): Promise<Time> {
  quietLog();
  const { address, namespace } = temporal;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    address,
    client: new Client({ connection, namespace }),
    native,
    clock: systemClock,
    async close() {
      await native.close();
      await connection.close();
    },
  };
}
