/** Takes traces to workflows: each call of Temporal's client has a span, and its place in the trace goes along in a header. */
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { Headers } from '@temporalio/common';
import { withTrace } from '../workflows/trace-header.js';
import { inCall, tracing } from './tracing.js';

const traced = <Input extends { readonly headers: Headers }>(input: Input): Input =>
  withTrace(input, tracing()?.active());

/** For every client that talks to workflows. Where nobody traces, calls pass as they are. */
export const traceInterceptor: WorkflowClientInterceptor = {
  start: (input, next) => inCall(`StartWorkflow ${input.workflowType}`, {}, () => next(traced(input))),
  signal: (input, next) => inCall(`SignalWorkflow ${input.signalName}`, {}, () => next(traced(input))),
  signalWithStart: (input, next) =>
    inCall(`SignalWithStartWorkflow ${input.signalName}`, {}, () => next(traced(input))),
  startUpdate: (input, next) => inCall(`UpdateWorkflow ${input.updateName}`, {}, () => next(traced(input))),
  query: (input, next) => inCall(`QueryWorkflow ${input.queryType}`, {}, () => next(input)),
};
