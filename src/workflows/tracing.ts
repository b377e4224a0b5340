/**
 * Traces in workflows: which activities belong to which message or timer. Bundled only where traces are exported.
 *
 * A lifecycle lives for years, so no span lasts as long as its run. A *turn* is one span: from what woke the workflow until it rests
 * again. Whoever wakes it is the parent; a timer begins a trace of its own, with a link to the turn before.
 *
 * Nothing here may change a command or its order: interceptors hand on what they got without waiting, and ids come from the run's id and
 * a counter, never from the workflow's random numbers, which histories depend on.
 */
import type { Headers } from '@temporalio/common';
import { proxySinks, type Sinks, type WorkflowInterceptorsFactory, workflowInfo } from '@temporalio/workflow';
import { type TraceContext, traceparentPattern } from '../domain/trace-context.js';
import type { FinishedSpan } from '../process/tracing.js';
import { traceOf, withTrace } from './trace-header.js';

export interface TraceSinks extends Sinks {
  dormouseTraces: { turn(span: FinishedSpan): void };
}

const { dormouseTraces } = proxySinks<TraceSinks>();

interface Turn {
  readonly context: TraceContext;
  readonly parent: TraceContext | undefined;
  readonly links: readonly TraceContext[];
  readonly wokenBy: string;
  readonly startedAt: number;
}

class Turns {
  private begun = 0;
  private current: Turn | undefined;
  private isOpen = false;
  private running = 0;
  private isMessage = false;
  private readonly timers = new Map<number, string>();

  begin(wokenBy: string, headers: Headers | undefined): void {
    this.end();
    const parent = traceOf(headers);
    this.begun += 1;
    this.current = {
      context: contextOf(parent, this.begun),
      parent,
      links: this.current === undefined ? [] : [this.current.context],
      wokenBy,
      startedAt: Date.now(),
    };
    this.isOpen = true;
    this.isMessage = true;
  }

  /** A message in the same task says more of the cause than the timer that fired with it. */
  timerFired(seq: number): void {
    const summary = this.timers.get(seq);
    this.timers.delete(seq);
    if (!this.isMessage) this.begin(summary === undefined ? 'timer' : `timer (${summary})`, undefined);
  }

  timerStarted(seq: number, summary: string | undefined): void {
    if (summary !== undefined) this.timers.set(seq, summary);
  }

  activityScheduled(): void {
    this.running += 1;
  }

  activityResolved(): void {
    this.running -= 1;
  }

  /** The end of a workflow task: without a running activity the turn is over. */
  rest(): void {
    this.isMessage = false;
    if (this.running === 0) this.end();
  }

  /** Where what is sent now belongs. */
  get trace(): TraceContext | undefined {
    return this.current?.context;
  }

  private end(): void {
    if (!this.isOpen || this.current === undefined) return;
    this.isOpen = false;
    const { workflowId, runId, workflowType, unsafe } = workflowInfo();
    // The sink is silent in a replay as well; this saves the call.
    if (unsafe.isReplaying) return;
    const { context, parent, links, wokenBy, startedAt } = this.current;
    dormouseTraces.turn({
      name: `${workflowType} ${wokenBy}`,
      context,
      ...(parent && { parent }),
      links,
      attributes: { 'temporal.workflow.id': workflowId, 'temporal.run.id': runId },
      startedAt,
      endedAt: Date.now(),
    });
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const turns = new Turns();
  return {
    inbound: [
      {
        execute(input, next) {
          turns.begin('start', input.headers);
          return next(input);
        },
        handleSignal(input, next) {
          turns.begin(`signal ${input.signalName}`, input.headers);
          return next(input);
        },
        handleUpdate(input, next) {
          turns.begin(`update ${input.name}`, input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        startTimer(input, next) {
          turns.timerStarted(input.seq, input.options?.summary);
          return next(input);
        },
        scheduleActivity(input, next) {
          turns.activityScheduled();
          return next(withTrace(input, turns.trace));
        },
        continueAsNew: (input, next) => next(withTrace(input, turns.trace)),
        signalWorkflow: (input, next) => next(withTrace(input, turns.trace)),
        startChildWorkflowExecution: (input, next) => next(withTrace(input, turns.trace)),
      },
    ],
    internals: [
      {
        activate(input, next) {
          for (const { fireTimer, resolveActivity } of input.activation.jobs ?? []) {
            if (typeof fireTimer?.seq === 'number') turns.timerFired(fireTimer.seq);
            if (resolveActivity) turns.activityResolved();
          }
          return next(input);
        },
        concludeActivation(input, next) {
          turns.rest();
          return next(input);
        },
      },
    ],
  };
};

/** A child of `parent`, or the beginning of a trace. @param turn how many turns the run has had with it */
function contextOf(parent: TraceContext | undefined, turn: number): TraceContext {
  const { runId } = workflowInfo();
  const spanId = hash(`${runId}/${turn}`) + hash(`${turn}/${runId}`);
  const [, traceId, , flags] = traceparentPattern.exec(parent?.traceparent ?? '') ?? [];
  if (parent !== undefined && traceId !== undefined)
    return { ...parent, traceparent: `00-${traceId}-${spanId}-${flags ?? '00'}` };
  const own = hash(`a/${runId}/${turn}`) + hash(`b/${runId}/${turn}`) + hash(`c/${turn}/${runId}`);
  return { traceparent: `00-${own}${hash(`d/${turn}/${runId}`)}-${spanId}-00`, undecided: true };
}

/** FNV-1a, finished as in MurmurHash 3: eight hexadecimal digits, never all zero. For ids that need no secrecy. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0 || 1).toString(16).padStart(8, '0');
}
