/**
 * Traces by OpenTelemetry's SDK, exported over OTLP. Loaded only where traces are exported (start-tracing.ts). Registers nothing
 * globally: no library of the process begins to trace on its own.
 */
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { millisToHrTime, TraceState } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SamplerName } from '../config/variables.js';
import { given } from '../domain/given.js';
import { type TraceContext, traceparentPattern } from '../domain/trace-context.js';
import { release } from '../process/release.js';
import type { FinishedSpan, Span, SpanStart, Tracer } from '../process/tracing.js';

export interface OtlpTracerOptions {
  /** Where the collector is, as `http://127.0.0.1:4318`: `/v1/traces` is added (OTLP specification, "Endpoint URLs"). */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampler: SamplerName;
  /** Part of the traces that a sampler by ratio takes, 0 to 1. */
  readonly ratio: number;
  /** Told of exports that failed: once a minute at most, with how many spans were lost since. */
  readonly onLost: (spans: number) => void;
}

export interface OtlpTracer extends Tracer {
  /** Exports what is left, and stops. Never rejects; takes 5 s at most. */
  close(): Promise<void>;
}

/** Spans that wait for the collector at most, in each process; what comes then is lost, and nobody is told. */
const queueSize = 4_096;
const batchSize = 512;
const exportTimeoutMs = 5_000;
const closeTimeoutMs = 5_000;
const reportEveryMs = 60_000;

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
} as const;

const scope = { name: 'dormouse', version: release };

export function createOtlpTracer(options: OtlpTracerOptions): OtlpTracer {
  const resource = resourceFromAttributes({
    'service.name': options.serviceName,
    'service.version': release,
  });
  const root = rootSampler(options);
  const sampler = options.sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
  const processor = new BatchSpanProcessor({
    exporter: reporting(exporterTo(options), options.onLost),
    maxQueueSize: queueSize,
    maxExportBatchSize: batchSize,
    exportTimeoutMillis: exportTimeoutMs,
  });
  // Limits are set here, so that no variable of the environment opens them.
  const spanLimits = { attributeValueLengthLimit: 256, attributeCountLimit: 32, linkCountLimit: 32 };
  const provider = new TracerProvider({ resource, sampler, spanProcessors: [processor], spanLimits });
  const tracer = provider.getTracer(scope.name, scope.version);
  const contexts = new AsyncLocalStorageContextManager().enable();

  const isSampled = (parent: Context, traceId: string, name: string): boolean =>
    sampler.shouldSample(parent, traceId, name, SpanKind.INTERNAL, {}, []).decision ===
    SamplingDecision.RECORD_AND_SAMPLED;

  /** Decides of a trace that began in a workflow, where there is no sampler: everybody decides alike, by its id. */
  const spanContextOf = (context: TraceContext): SpanContext | undefined => {
    const [, traceId, spanId, flags] = traceparentPattern.exec(context.traceparent) ?? [];
    if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
    const isTaken =
      context.undecided === true
        ? isSampled(ROOT_CONTEXT, traceId, '')
        : (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
    return {
      traceId,
      spanId,
      isRemote: true,
      traceFlags: isTaken ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(context.tracestate !== undefined && { traceState: new TraceState(context.tracestate) }),
    };
  };

  const contextWith = (context: TraceContext | undefined): Context => {
    const parent = context && spanContextOf(context);
    return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  };

  const linksTo = (contexts: readonly TraceContext[] = []): Link[] =>
    contexts.flatMap((context) => {
      const linked = spanContextOf(context);
      return linked === undefined ? [] : [{ context: linked }];
    });

  return {
    open(start) {
      const parent = parentOf(start, contexts.active(), contextWith);
      const span = tracer.startSpan(
        start.name,
        {
          kind: kinds[start.kind ?? 'internal'],
          attributes: { ...start.attributes },
          links: linksTo(start.links),
          ...given({ startTime: start.startedAt }),
        },
        parent,
      );
      return spanOf(span, (work) => contexts.with(trace.setSpan(parent, span), work));
    },
    active() {
      const active = trace.getSpanContext(contexts.active());
      return active && traceContextTo(active);
    },
    within: (context, work) => contexts.with(contextWith(context), work),
    take(finished) {
      const own = spanContextOf(finished.context);
      if (own === undefined) return;
      if (!isSampled(contextWith(finished.parent), own.traceId, finished.name)) return;
      const taken = { ...own, isRemote: false, traceFlags: TraceFlags.SAMPLED };
      const parent = finished.parent && spanContextOf(finished.parent);
      processor.onEnd(readable(finished, taken, parent, linksTo(finished.links), resource));
    },
    async close() {
      const closed = provider.shutdown().catch(() => undefined);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeTimeoutMs);
      });
      await Promise.race([closed, late]);
      clearTimeout(timer);
      contexts.disable();
    },
  };
}

function rootSampler({ sampler, ratio }: Pick<OtlpTracerOptions, 'sampler' | 'ratio'>): Sampler {
  if (sampler.endsWith('always_off')) return new AlwaysOffSampler();
  return sampler.endsWith('traceidratio') ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}

function exporterTo({ endpoint, headers }: Pick<OtlpTracerOptions, 'endpoint' | 'headers'>): SpanExporter {
  return new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: exportTimeoutMs,
    // At the end the whole queue is sent at once.
    concurrencyLimit: queueSize / batchSize + 2,
  });
}

/** Hands on to `exporter`, and tells of what was lost: not why, since the reason may quote the collector's answer. */
function reporting(exporter: SpanExporter, onLost: (spans: number) => void): SpanExporter {
  let lost = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0) {
          lost += spans.length;
          if (performance.now() - reportedAt > reportEveryMs) {
            onLost(lost);
            lost = 0;
            reportedAt = performance.now();
          }
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush && { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}

function parentOf(
  { parent }: SpanStart,
  active: Context,
  contextWith: (context: TraceContext) => Context,
): Context {
  if (parent === 'none') return ROOT_CONTEXT;
  return parent === undefined ? active : contextWith(parent);
}

function spanOf(span: SdkSpan, within: <T>(work: () => T) => T): Span {
  return {
    context: traceContextTo(span.spanContext()),
    set: (attributes) => {
      span.setAttributes({ ...attributes });
    },
    fail: (errorType) => {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', errorType);
    },
    end: () => span.end(),
    within,
  };
}

function traceContextTo({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const flags = traceFlags.toString(16).padStart(2, '0');
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...given({ tracestate: traceState?.serialize() }),
  };
}

function readable(
  { name, attributes, startedAt, endedAt }: FinishedSpan,
  context: SpanContext,
  parentSpanContext: SpanContext | undefined,
  links: Link[],
  resource: ReadableSpan['resource'],
): ReadableSpan {
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => context,
    ...given({ parentSpanContext }),
    startTime: millisToHrTime(startedAt),
    endTime: millisToHrTime(endedAt),
    duration: millisToHrTime(endedAt - startedAt),
    status: { code: SpanStatusCode.UNSET },
    attributes: { ...attributes },
    links,
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
