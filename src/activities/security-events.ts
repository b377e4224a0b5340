/**
 * Activity: sends the waiting security events of the outbox to one receiver. May run again at any
 * time: each event keeps its `jti`.
 */
import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import type { Clock } from '../process/clock.js';
import type { ConnectedReceiver, EventSender } from '../security-events/load.js';
import {
  forgetDelivered,
  markDelivered,
  markFailed,
  markParked,
  readNextDue,
} from '../security-events/outbox-table.js';
import { pushEvent } from '../security-events/push.js';
import { type SecurityEvent, signSecurityEvent } from '../security-events/token.js';

export interface SecurityEventDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Absent where no Shared Signals receivers are configured. */
  readonly sender?: EventSender;
}

export interface Delivered {
  readonly delivered: number;
  readonly failed: number;
  readonly parked: number;
  /** Whether more events may be due at once. */
  readonly more: boolean;
}

/** Keeps one call of the activity short. */
const mostAtOnce = 500;
/**
 * A receiver that is down is skipped until the next run. One event that it
 * rejects does not hold up the others.
 */
const failuresInARow = 3;
/** How long delivered events can be looked up. */
const keptMs = 30 * dayMs;

export function createSecurityEventActivities({ pool, clock, sender }: SecurityEventDependencies) {
  return {
    /** @throws UnknownSignalReceiver (not retried) */
    async deliverSignals(input: { receiver: string }): Promise<Delivered> {
      const receiver = sender?.receivers.find(({ name }) => name === input.receiver);
      if (sender === undefined || receiver === undefined) throw unknownReceiver(input.receiver);
      const sent = await drain(pool, clock, sender, receiver);
      await forgetDelivered(pool, (await clock.now()) - keptMs);
      return sent;
    },
  };
}

export type SecurityEventActivities = ReturnType<typeof createSecurityEventActivities>;

async function drain(
  pool: pg.Pool,
  clock: Clock,
  sender: EventSender,
  receiver: ConnectedReceiver,
): Promise<Delivered> {
  const counts = { accepted: 0, failed: 0, parked: 0 };
  let inARow = 0;
  for (let turn = 0; turn < mostAtOnce && inARow < failuresInARow; turn += 1) {
    heartbeat();
    if (Context.current().cancellationSignal.aborted) await Context.current().cancelled;
    const event = await readNextDue(pool, receiver.name, await clock.now());
    if (event === undefined) return result(counts, false);
    const outcome = await send(pool, clock, { sender, receiver, event });
    counts[outcome] += 1;
    inARow = outcome === 'failed' ? inARow + 1 : 0;
  }
  return result(counts, inARow < failuresInARow);
}

function result(counts: { accepted: number; failed: number; parked: number }, more: boolean): Delivered {
  return { delivered: counts.accepted, failed: counts.failed, parked: counts.parked, more };
}

async function send(
  pool: pg.Pool,
  clock: Clock,
  { sender, receiver, event }: { sender: EventSender; receiver: ConnectedReceiver; event: SecurityEvent },
): Promise<'accepted' | 'failed' | 'parked'> {
  const { streams, key } = sender;
  const token = await signSecurityEvent(event, {
    issuer: streams.issuer,
    subjectIssuer: streams.subjectIssuer,
    audience: receiver.audience,
    key,
  });
  const outcome = await pushEvent(token, receiver);
  const now = await clock.now();
  if (outcome.kind === 'accepted') await markDelivered(pool, event.jti, now);
  else if (outcome.kind === 'rejected') await markParked(pool, event.jti, outcome.error, now);
  else await markFailed(pool, event.jti, outcome.error, now);
  return outcome.kind === 'rejected' ? 'parked' : outcome.kind;
}

function unknownReceiver(name: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'UnknownSignalReceiver',
    message: `this worker knows no receiver "${name}". Give every worker the same DORMOUSE_SHARED_SIGNALS_FILE`,
    nonRetryable: true,
  });
}
